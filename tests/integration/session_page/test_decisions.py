"""Deciding at a gate, by button and in words; what is not understood never decides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client

from sessions.actions.planning import add_revision
from sessions.models import Gate, Resource, TuningSession
from sessions.specification import Origin
from sessions.states import Decision, GateKind, Phase, Status
from tests.factories import (
    BIG_QWEN,
    NOON,
    QWEN,
    make_account,
    make_base_model,
    make_candidate,
    make_gate,
    make_session,
    make_specification,
    make_user,
    plan_body,
    set_phase,
)
from tests.integration.session_page.conftest import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def gate() -> Gate:
    """A session that waits for the approval of its plan."""
    make_account()
    for name in (QWEN, BIG_QWEN):
        make_base_model(name)
    session = make_session(specification=make_specification(epochs=5))
    set_phase(session, Phase.PLANNING)
    return make_gate(session)


@pytest.fixture
def promotion() -> Gate:
    """A session that waits for the winner: candidates 1 and 2 are done, 3 failed."""
    session = make_session()
    set_phase(session, Phase.SWEEP)
    for number, state in ((1, "done"), (2, "done"), (3, "failed")):
        make_candidate(session, number, state=state, validation_loss=1.0 + number / 10)
    return make_gate(
        session, GateKind.PROMOTION, body={"suggested": 1, "rule": "Lowest.", "certainty": "Clear."}
    )


def post(client: Client, gate: Gate, action: str, **fields: Any) -> HttpResponse:
    address = f"/s/{gate.session.public_id}/gates/{gate.pk}/decide/"
    answer: HttpResponse = client.post(address, {"action": action, **fields})
    return answer


def approve(client: Client, gate: Gate, **fields: Any) -> HttpResponse:
    assert gate.plan
    return post(client, gate, "approve", plan_digest=gate.plan.digest, **fields)


def again(response: HttpResponse, gate: Gate, status: int = 422) -> str:
    """The page is shown again and nothing was decided."""
    gate.refresh_from_db()
    assert gate.is_open
    assert response.status_code == status
    return words(response.content.decode())


def test_the_button_approves_the_revision_that_was_seen(client: Client, gate: Gate) -> None:
    response = approve(client, gate)
    gate.refresh_from_db()
    session = gate.session
    session.refresh_from_db()
    assert response["Location"] == f"/s/{session.public_id}/"
    assert (gate.decision, gate.decided_by.get_username()) == (Decision.APPROVED, "owner")  # type: ignore[union-attr]
    assert session.status == Status.RUNNING
    assert str(session.approved_amount) == "1.300000"
    assert session.ledger.count() == 1


def test_words_approve_as_the_button_does(client: Client, gate: Gate) -> None:
    post(client, gate, "reply", reply="Approved, proceed.", plan_digest="digest-1")
    gate.refresh_from_db()
    assert (gate.decision, gate.reply) == (Decision.APPROVED, "Approved, proceed.")


def test_an_approval_of_an_older_revision_is_refused_and_shows_the_newer(client: Client, gate: Gate) -> None:
    post(client, gate, "changes", epochs="3")
    newer = add_revision(gate.session, plan_body(summary="Train it for 3 epochs."), ["Epochs: 5 became 3."])
    open_gate = make_gate(gate.session, plan=newer)
    for action in ({"action": "approve"}, {"action": "reply", "reply": "Approved, proceed."}):
        late = client.post(
            f"/s/{gate.session.public_id}/gates/{open_gate.pk}/decide/", {**action, "plan_digest": "digest-1"}
        )
        html = again(late, open_gate, 409)
        assert "Revision 2 of the plan is the one to decide about now" in html
        assert "Train it for 3 epochs." in html


def test_a_late_button_is_told_who_was_faster(client: Client, gate: Gate) -> None:
    approve(client, gate)
    late = post(client, gate, "reject")
    html = late.content.decode()
    assert late.status_code == 409
    assert "Already approved by owner at " in html
    assert "Nothing was changed by you." in html
    gate.refresh_from_db()
    assert gate.decision == Decision.APPROVED


def test_a_reply_after_cancelling_is_told_so(client: Client, gate: Gate) -> None:
    client.post(f"/s/{gate.session.public_id}/cancel/")
    late = approve(client, gate)
    assert late.status_code == 409
    assert "Already withdrawn by owner at " in late.content.decode()


def test_changes_by_the_form_change_only_what_was_changed(client: Client, gate: Gate) -> None:
    fields = {
        "base_models": "qwen3-8b",
        "epochs": "3",
        "lora_ranks": "8, 16",
        "final_run": "yes",
        "deploy": "yes",
    }
    assert post(client, gate, "changes", **fields).status_code == 302
    gate.refresh_from_db()
    specification = gate.session.specification
    assert gate.decision == Decision.CHANGES
    assert (specification.value("epochs"), specification.value("lora_ranks")) == (3, (8, 16))
    assert specification.entry("epochs").origin == Origin.FORM  # type: ignore[union-attr]
    assert specification.value("base_models") == (QWEN,)


def test_changes_in_words_win_over_the_form(client: Client, gate: Gate) -> None:
    post(client, gate, "changes", epochs="3", lora_ranks="8", reply="Train each candidate for 2 epochs.")
    specification = TuningSession.objects.get(pk=gate.session.pk).specification
    assert (specification.value("epochs"), specification.value("lora_ranks")) == (2, (8,))


def test_typed_changes_make_the_next_revision(client: Client, gate: Gate) -> None:
    post(client, gate, "reply", reply="Use LoRA ranks 8 and 16.", plan_digest="digest-1")
    gate.refresh_from_db()
    assert (gate.decision, gate.reply) == (Decision.CHANGES, "Use LoRA ranks 8 and 16.")
    assert gate.session.specification.value("lora_ranks") == (8, 16)


@pytest.mark.parametrize(
    ("fields", "fault", "kept"),
    [
        ({"lora_ranks": "24"}, "LoRA rank 24 is not a power of two up to 32.", 'value="24"'),
        ({"epochs": "many"}, "is not a number", 'value="many"'),
        ({"base_models": "gpt-99"}, "gpt-99", 'value="gpt-99"'),
        ({}, "Nothing is changed yet.", ""),
        ({"reply": "Make it nicer somehow"}, "Not understood", "Make it nicer somehow</textarea>"),
    ],
)
def test_changes_that_cannot_be_taken_are_kept_and_named(
    client: Client, gate: Gate, fields: dict[str, str], fault: str, kept: str
) -> None:
    html = again(post(client, gate, "changes", **fields), gate)
    assert fault in html
    assert kept in html
    assert 'id="gate-changes" open>' in html
    assert html.index('id="gate-changes"') < html.index('id="outcome"') < html.index('name="lora_ranks"')


@pytest.mark.parametrize(
    "text", ["Sounds expensive", "approved unless it is dear", "Approve? Not sure.", "ok but use fewer", ""]
)
def test_words_that_are_not_understood_never_decide(client: Client, gate: Gate, text: str) -> None:
    html = again(post(client, gate, "reply", reply=text, plan_digest="digest-1"), gate)
    assert 'role="alert"' in html
    assert f'value="{text}"' in html
    assert html.index("What cannot be undone") < html.index('id="outcome"') < html.index('id="reply"')
    assert "data-kept" in html


def test_asking_for_the_models_lists_them_and_keeps_the_gate(client: Client, gate: Gate) -> None:
    html = again(post(client, gate, "reply", reply="Which base models do you support?"), gate, 200)
    assert "The supported base models are listed below." in html
    assert html.count('<tr data-words="') == 2
    assert "Approve, at most" in html


def test_rejecting_ends_the_session_with_nothing_spent(client: Client, gate: Gate) -> None:
    post(client, gate, "reject")
    gate.refresh_from_db()
    assert gate.decision == Decision.REJECTED
    assert gate.session.cancel_requested_at
    assert gate.session.approved_amount is None


def test_the_suggested_winner_is_confirmed(client: Client, promotion: Gate) -> None:
    post(client, promotion, "approve")
    promotion.refresh_from_db()
    assert promotion.session.winner.number == 1  # type: ignore[union-attr]
    assert promotion.answer["number"] == 1


def test_the_winner_is_confirmed_in_words(client: Client, promotion: Gate) -> None:
    post(client, promotion, "reply", reply="Proceed with the winning config.")
    promotion.refresh_from_db()
    assert promotion.session.winner.number == 1  # type: ignore[union-attr]


def test_another_winner_needs_a_reason_and_keeps_the_choice(client: Client, promotion: Gate) -> None:
    html = again(post(client, promotion, "choose", candidate="2"), promotion)
    assert "Say in a few words why" in html
    assert '<option value="2" selected>' in html
    post(client, promotion, "choose", candidate="2", reason="It is cheaper.")
    promotion.refresh_from_db()
    assert promotion.answer == {
        "candidate": promotion.session.winner_id,
        "number": 2,
        "reason": "It is cheaper.",
    }


def test_another_winner_in_words(client: Client, promotion: Gate) -> None:
    post(client, promotion, "reply", reply="Use candidate 2 instead.")
    promotion.refresh_from_db()
    assert promotion.session.winner.number == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("number", ["3", "99", "", "x", "²", "9" * 20, "1" * 4301])
def test_only_a_finished_candidate_can_win(client: Client, promotion: Gate, number: str) -> None:
    html = again(post(client, promotion, "choose", candidate=number, reason="because"), promotion)
    assert "did not finish" in html or "Choose a candidate first." in html


@pytest.fixture
def questions() -> Gate:
    make_account()
    for name in (QWEN, BIG_QWEN):
        make_base_model(name)
    datasets = [{"value": "accounts/a/datasets/b", "label": "B"}]
    models = [{"value": QWEN, "label": "Q"}, {"value": BIG_QWEN, "label": "R"}]
    asked = [
        {"field": "dataset", "text": "Which dataset?", "options": datasets},
        {"field": "base_models", "text": "Which models?", "options": models},
    ]
    return make_gate(make_session(), GateKind.QUESTIONS, body={"questions": asked})


def test_all_questions_are_answered_on_one_page(client: Client, questions: Gate) -> None:
    fields = {"dataset": ["accounts/a/datasets/b", ""], "base_models": [QWEN, BIG_QWEN]}
    assert post(client, questions, "answer", **fields).status_code == 302
    questions.refresh_from_db()
    entry = questions.session.specification.entry("base_models")
    assert entry is not None
    assert (entry.value, entry.origin) == ((QWEN, BIG_QWEN), Origin.ANSWER)
    assert questions.answer["dataset"] == "accounts/a/datasets/b"


def test_another_dataset_can_be_written(client: Client, questions: Gate) -> None:
    post(client, questions, "answer", dataset=["", "accounts/a/datasets/mine"], base_models=[QWEN])
    questions.refresh_from_db()
    assert questions.session.specification.value("dataset") == "accounts/a/datasets/mine"


def test_a_missing_answer_keeps_the_others(client: Client, questions: Gate) -> None:
    html = again(post(client, questions, "answer", base_models=[BIG_QWEN]), questions)
    assert "This one has no answer yet." in html
    assert f'value="{BIG_QWEN}" checked' in html
    assert f'value="{QWEN}" checked' not in html


@pytest.mark.parametrize("kind", [GateKind.SPEND, GateKind.TROUBLE])
def test_going_on_and_stopping_at_the_other_gates(client: Client, kind: GateKind) -> None:
    for action, decision in (("approve", Decision.APPROVED), ("reject", Decision.REJECTED)):
        gate = make_gate(make_session(), kind, body={"text": "Try again?", "amount": "3.50", "left": "0.10"})
        post(client, gate, action)
        gate.refresh_from_db()
        assert gate.decision == decision


@pytest.mark.parametrize("action", ["choose", "answer", "nonsense", "changes"])
def test_an_action_that_does_not_belong_to_the_gate_is_refused(client: Client, action: str) -> None:
    gate = make_gate(make_session(), GateKind.TROUBLE, body={"text": "Try again?"})
    assert "That cannot be done here." in again(post(client, gate, action), gate)


def test_strangers_cannot_decide(client: Client) -> None:
    gate = make_gate(make_session(user=make_user("ann")))
    assert approve(client, gate).status_code == 404
    assert client.post(f"/s/{gate.session.public_id}/cancel/").status_code == 404
    gate.refresh_from_db()
    assert gate.is_open


def test_a_gate_of_another_session_is_not_there(client: Client, gate: Gate) -> None:
    other = make_session()
    assert (
        client.post(f"/s/{other.public_id}/gates/{gate.pk}/decide/", {"action": "reject"}).status_code == 404
    )


def test_reading_never_decides(client: Client, gate: Gate) -> None:
    response = client.get(f"/s/{gate.session.public_id}/gates/{gate.pk}/decide/")
    assert response["Location"] == f"/s/{gate.session.public_id}/"
    page = client.get(f"/s/{gate.session.public_id}/cancel/")
    assert "Cancel the session" in page.content.decode()
    gate.refresh_from_db()
    assert gate.is_open
    assert gate.session.cancel_requested_at is None


def test_cancelling_asks_once_more_and_then_cancels(client: Client, gate: Gate) -> None:
    first = client.post(f"/s/{gate.session.public_id}/cancel/", follow=True)
    gate.session.refresh_from_db()
    assert gate.session.cancel_requested_at
    assert "Cancelling" in first.content.decode()
    second = client.post(f"/s/{gate.session.public_id}/cancel/", follow=True)
    assert "There is nothing left to cancel." in second.content.decode()


def test_a_deployment_is_torn_down_on_the_persons_word_once(client: Client) -> None:
    session = make_session(status=Status.SUCCEEDED)
    name = "accounts/rehearsal/deployments/d1"
    made = Resource.objects.create(
        session=session, kind="deployment", purpose="deployment", name=name, state="created", intended_at=NOON
    )
    address = f"/s/{session.public_id}/deployments/{made.pk}/tear-down/"
    assert "Tear it down" in client.get(address).content.decode()
    made.refresh_from_db()
    assert made.delete_asked_at is None
    assert "tears the deployment down now" in client.post(address, follow=True).content.decode()
    made.refresh_from_db()
    assert made.delete_asked_at
    assert "asked for already" in client.post(address, follow=True).content.decode()
    assert session.events.filter(kind="tear-down-asked").count() == 1


@pytest.mark.parametrize("kind", ["job", "model"])
def test_only_a_deployment_of_this_session_is_torn_down(client: Client, kind: str) -> None:
    session, other = make_session(), make_session()
    made = Resource.objects.create(session=other, kind=kind, purpose="x", name="x", intended_at=NOON)
    for each in (session, other):
        assert client.post(f"/s/{each.public_id}/deployments/{made.pk}/tear-down/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_decide_once(gate: Gate) -> None:
    together = Barrier(2)

    def press(action: str) -> int:
        client = Client()
        together.wait()
        try:
            return post(client, gate, action, plan_digest="digest-1").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(press, ("approve", "reject")))
    assert answers == [302, 409]
    gate.refresh_from_db()
    assert gate.decision in {Decision.APPROVED, Decision.REJECTED}
    assert gate.session.events.filter(kind__startswith="gate-").count() == 1
