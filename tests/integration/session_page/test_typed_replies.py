"""Typed replies: questions are answered from rows, edits make the next plan, partial answers are kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from fwportal.middleware import owner
from sessions.entered import Entered, Outcome
from sessions.models import Gate, TuningSession
from sessions.objections import ALL_THE_SAME
from sessions.replies import act
from sessions.specification import Context, Entry, ModelName, Origin, Specification
from sessions.states import Decision, GateKind, Phase, Status
from tests.factories import (
    BIG_QWEN,
    DATASET,
    QWEN,
    make_account,
    make_base_model,
    make_candidate,
    make_dataset,
    make_gate,
    make_ledger_line,
    make_session,
    make_specification,
    set_phase,
)
from tests.integration.session_page.conftest import words

pytestmark = pytest.mark.django_db

ASKED = [
    {"field": "dataset", "text": "Which dataset should it be trained on?", "options": [], "help": ""},
    {"field": "base_models", "text": "Which base models should be fine-tuned?", "options": [], "help": ""},
]


@pytest.fixture(autouse=True)
def stocked() -> None:
    make_account()
    make_dataset(DATASET)
    for name in (QWEN, BIG_QWEN):
        make_base_model(name)


@pytest.fixture
def plan() -> Gate:
    session = make_session(specification=make_specification(base_models=(QWEN, BIG_QWEN), epochs=5))
    set_phase(session, Phase.PLANNING)
    return make_gate(session)


@pytest.fixture
def questions() -> Gate:
    session = make_session(specification=Specification({"workflow": Entry("sft", Origin.DEFAULT)}))
    set_phase(session, Phase.INSPECTION)
    return make_gate(session, GateKind.QUESTIONS, body={"questions": ASKED})


def say(client: Client, gate: Gate, reply: str, **fields: Any) -> HttpResponse:
    address = f"/s/{gate.session.public_id}/gates/{gate.pk}/decide/"
    digest = gate.plan.digest if gate.plan else ""
    answer: HttpResponse = client.post(
        address, {"action": "reply", "reply": reply, "plan_digest": digest, **fields}
    )
    gate.refresh_from_db()
    return answer


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (
            "Why so expensive?",
            ["The estimate is $0.70 to $1.30.", "Candidate 1: $0.70 to $1.30", "1,000 tokens"],
        ),
        ("What happens next?", ["Once you approve, the candidates are trained", "nothing is spent"]),
        ("What did you not understand?", ["left out", "“in rhyme”"]),
        ("How long will it take?", ["It should take 20 to 90 seconds."]),
        ("What are the settings?", ["LoRA ranks", "Candidate 1: "]),
        ("How many rows are there?", ["44 rows, 44 of them usable", "4 rows are held out"]),
        ("What can I say?", ["“Approved, proceed.”", "“Drop the 70B model.”"]),
        ("How sure are you?", ["No candidate is trained yet"]),
        ("What went wrong?", ["Nothing went wrong"]),
        ("Which datasets are there?", [DATASET]),
        ("How can it be evaluated?", ["Validation loss:"]),
        ("Which base models do you support?", ["The supported base models are listed below."]),
    ],
)
def test_a_question_is_answered_from_rows_and_keeps_the_gate_open(
    client: Client, plan: Gate, question: str, told: list[str]
) -> None:
    TuningSession.objects.filter(pk=plan.session.pk).update(not_understood=["in rhyme"])
    response = say(client, plan, question)
    html = words(response.content.decode())
    assert (response.status_code, plan.is_open) == (200, True)
    assert [each for each in told if each not in html] == []


def test_what_comes_after_approving_the_registration_of_an_evaluator(client: Client) -> None:
    session = make_session(specification=Specification({"workflow": Entry("authoring", Origin.SAID)}))
    gate = make_gate(session)
    html = words(say(client, gate, "What happens if I approve?").content.decode())
    assert "Once you approve, the evaluator is registered on Fireworks" in html
    assert "candidates are trained" not in html
    assert gate.is_open


def test_costs_so_far_are_told_at_the_promotion_gate(client: Client) -> None:
    session = make_session(approved_amount="2.00")
    set_phase(session, Phase.SWEEP)
    make_candidate(session, 1, state="done", validation_loss=1.1)
    make_ledger_line(session, actual="0.75", low="0.70", high="1.30")
    make_ledger_line(session, "training:final", reserved="0.50", low="0.40", high="0.50")
    gate = make_gate(
        session, GateKind.PROMOTION, body={"suggested": 1, "rule": "Lowest.", "certainty": "Clear."}
    )
    html = words(say(client, gate, "How much have you spent so far?").content.decode())
    assert "$0.75 is spent, $0.50 more is reserved; $0.75 of what you approved is left." in html
    html = words(say(client, gate, "Why is it suggested?").content.decode())
    assert "Candidate 1 is suggested. Lowest. Clear." in html
    assert gate.is_open


@pytest.mark.parametrize(
    ("reply", "name", "value"),
    [
        ("Drop the 32B model.", "base_models", (QWEN,)),
        ("use rank 16 instead", "lora_ranks", (16,)),
        ("only 2 candidates", "max_candidates", 2),
        ("no deployment please", "deploy", False),
        ("two more epochs", "epochs", 7),
    ],
)
def test_a_plan_is_changed_in_words(client: Client, plan: Gate, reply: str, name: str, value: Any) -> None:
    say(client, plan, reply)
    plan.session.refresh_from_db()
    assert plan.decision == Decision.CHANGES
    assert plan.session.value(name) == value
    assert plan.session.specification.entries[name].origin == Origin.ANSWER


def test_what_the_workflow_does_not_use_is_not_taken(client: Client, plan: Gate) -> None:
    html = words(say(client, plan, "Labels are: yes, no").content.decode())
    assert plan.is_open
    assert "Labels has no use in supervised fine-tuning." in html


def test_a_plan_beyond_the_budget_is_not_approved_by_words_or_button(client: Client, plan: Gate) -> None:
    spec = plan.session.specification.with_entries({"budget": Entry("1.00", Origin.SAID, "under $1")})
    TuningSession.objects.filter(pk=plan.session.pk).update(specification_json=spec.to_json())
    for action in ("reply", "approve"):
        html = words(say(client, plan, "Approved, proceed.", action=action).content.decode())
        assert plan.is_open
        assert "This plan may cost up to $1.30, and you set a budget of $1." in html
    say(client, plan, "the budget is $2")
    plan.session.refresh_from_db()
    assert (plan.decision, plan.session.value("budget")) == (Decision.CHANGES, "2.00")


def with_budget(session: TuningSession, budget: str) -> None:
    spec = session.specification.with_entries({"budget": Entry(budget, Origin.SAID)})
    TuningSession.objects.filter(pk=session.pk).update(specification_json=spec.to_json())


@pytest.mark.parametrize("action", ["reply", "approve"])
def test_more_money_than_the_budget_is_not_approved_before_the_budget_is_raised(
    client: Client, action: str
) -> None:
    session = make_session(approved_amount="1.00")
    with_budget(session, "2.00")
    gate = make_gate(session, GateKind.SPEND, body={"text": "More?", "amount": "2.50", "left": "0.10"})
    html = words(say(client, gate, "Approved, proceed.", action=action).content.decode())
    assert "up to $2.50 may be spent in all, and you set a budget of $2" in html
    assert gate.is_open
    assert "The budget is $3 now." in words(say(client, gate, "the budget is $3").content.decode())
    assert gate.is_open
    say(client, gate, "3 epochs")
    assert gate.is_open
    say(client, gate, "Approved, proceed.", action=action)
    session.refresh_from_db()
    assert (gate.decision, session.approved_amount) == (Decision.APPROVED, Decimal("2.50"))


def test_a_budget_that_cannot_hold_for_all_lines_is_approved_knowingly(client: Client, plan: Gate) -> None:
    assert plan.plan
    line = plan.plan.body["estimate"]["lines"][0]
    unknown = {**line, "label": "Judging", "low": None, "expected": None, "high": None, "item": "judging"}
    plan.plan.body["estimate"]["lines"].append(unknown)
    plan.plan.save()
    with_budget(plan.session, "5.00")
    for action in ("reply", "approve"):
        html = words(say(client, plan, "Approved, proceed.", action=action).content.decode())
        assert plan.is_open
        assert "not calculated: Judging. The budget cannot hold for them." in html
    say(client, plan, "also what is not calculated")
    assert plan.is_open
    say(client, plan, ALL_THE_SAME)
    assert plan.decision == Decision.APPROVED


def test_some_answers_are_kept_and_the_rest_is_asked_for(client: Client, questions: Gate) -> None:
    """Product rows 1.5 and 1.8: a reply that answers one of two questions decides nothing."""
    response = say(client, questions, "qwen3-8b")
    html = words(response.content.decode())
    session = questions.session
    session.refresh_from_db()
    assert (response.status_code, questions.is_open, session.status) == (200, True, Status.WAITING)
    assert [each["field"] for each in questions.body["questions"]] == ["dataset"]
    assert session.value("base_models") == (QWEN,)
    assert "Kept: base models: qwen3-8b. One question is still open." in html
    assert session.events.get(kind="gate-part-answered").text.endswith(
        "answered in part: base models: qwen3-8b"
    )
    say(client, questions, "support")
    session.refresh_from_db()
    assert (questions.decision, session.status) == (Decision.ANSWERED, Status.RUNNING)
    assert (session.value("dataset"), session.value("base_models")) == (DATASET, (QWEN,))


def act_in_a_tab(shown: Gate, reply: str) -> Outcome:
    """What a tab sends that still has the gate as it was shown."""
    form = {"action": ["reply"], "reply": [reply]}
    known = Context(account="rehearsal", datasets=[DATASET], catalogue=[ModelName(QWEN, "Qwen3 8B")])
    return act(Entered(shown, owner(), form, timezone.now(), known))


@pytest.mark.parametrize(
    ("replies", "kinds", "answered", "open_fields"),
    [
        (["3 epochs", "rank 16"], "kept kept", {"epochs", "lora_ranks"}, ["dataset", "base_models"]),
        (["qwen3-8b", "3 epochs"], "kept kept", {"base_models", "epochs"}, ["dataset"]),
        (["qwen3-8b", f"use {DATASET}"], "kept decided", {"base_models", "dataset"}, None),
        ([f"qwen3-8b on {DATASET}", "3 epochs"], "decided closed", {"base_models", "dataset"}, None),
    ],
)
def test_two_tabs_that_answer_in_part_lose_nothing(
    questions: Gate, replies: list[str], kinds: str, answered: set[str], open_fields: list[str] | None
) -> None:
    """Both tabs showed the page before either answered; what is left is what neither answered."""
    shown = [Gate.objects.select_related("session").get(pk=questions.pk) for _ in replies]
    outcomes = [act_in_a_tab(gate, reply) for gate, reply in zip(shown, replies, strict=True)]
    assert [each.kind for each in outcomes] == kinds.split()
    questions.refresh_from_db()
    entries = TuningSession.objects.get(pk=questions.session.pk).specification.entries
    assert {name for name, entry in entries.items() if entry.origin == Origin.ANSWER} == answered
    asked = [each["field"] for each in questions.body["questions"]] if questions.is_open else None
    assert asked == open_fields


def test_an_answer_to_something_else_is_kept_too(client: Client, questions: Gate) -> None:
    say(client, questions, "3 epochs and a budget of $5")
    questions.session.refresh_from_db()
    assert questions.is_open
    assert (questions.session.value("epochs"), questions.session.value("budget")) == (3, "5.00")
    assert len(questions.body["questions"]) == 2


def test_another_winner_is_taken_with_its_reason(client: Client) -> None:
    session = make_session()
    set_phase(session, Phase.SWEEP)
    for number, rank in ((1, 8), (2, 16)):
        make_candidate(session, number, state="done", lora_rank=rank, validation_loss=1.0 + number / 10)
    gate = make_gate(
        session, GateKind.PROMOTION, body={"suggested": 1, "rule": "Lowest.", "certainty": "Clear."}
    )
    say(client, gate, "Take number 2 because it answers shorter.")
    assert (gate.decision, gate.answer["number"]) == (Decision.APPROVED, 2)
    assert gate.answer["reason"] == "it answers shorter"
