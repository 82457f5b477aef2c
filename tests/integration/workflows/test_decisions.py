"""What a person decides: questions, plan and revisions, money, cancelling (product section 1)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fwportal.middleware import owner
from sessions.actions import gates
from sessions.models import TuningSession
from sessions.replies import Kind
from sessions.states import CandidateState, GateKind, Status
from tests.factories import QWEN
from tests.integration.workflows.house import DATASETS, DEPLOYMENTS, JOBS, chat, report
from workflows.fireworks import deployments
from workflows.fireworks.errors import CallForbidden


def test_all_that_is_missing_is_asked_on_one_page(house):
    """Row 1.5: dataset and base model at one gate with their possible answers; then the run goes on."""
    name = house.dataset("support", chat(40))
    session = house.start(dataset=None, base_models=None)
    house.drive(session)
    gate = house.gate(session)
    assert gate.kind == GateKind.QUESTIONS
    asked = {each["field"]: [one["value"] for one in each["options"]] for each in gate.body["questions"]}
    assert asked == {"dataset": [name], "base_models": [QWEN]}
    form = {"action": ["answer"], "dataset": [name], "base_models": [QWEN]}
    assert house.reply(session, "", **form).kind == Kind.DECIDED
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN
    assert session.gates.filter(kind=GateKind.QUESTIONS).count() == 1


def test_a_typed_answer_goes_on_too(house):
    """Rows 1.5 and 1.8: the question for the base model, answered in words."""
    session = house.start(base_models=None)
    house.drive(session)
    assert house.reply(session, "Use qwen3-8b.").kind == Kind.DECIDED
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN


def test_a_classification_asks_which_base_models(house):
    """Row 3.2: there is no "all": they must be chosen."""
    rows = [{**row, "ground_truth": "red" if at % 2 else "blue"} for at, row in enumerate(chat(40))]
    dataset = house.dataset("labels", rows)
    session = house.start(workflow="classification", strategy=None, base_models=None, dataset=dataset)
    house.drive(session)
    assert [each["field"] for each in house.gate(session).body["questions"]] == ["base_models"]
    assert house.reply(session, "All of them.").kind != Kind.DECIDED
    assert house.reply(session, "Use qwen3-8b.").kind == Kind.DECIDED
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN


def test_changes_make_the_next_revision_and_say_what_changed(house):
    """Row 1.6: re-planned, re-priced, shown again with the differences."""
    session = house.start()
    house.drive(session)
    first = house.gate(session).plan
    house.reply(session, "Use 4 epochs instead.")
    house.drive(session)
    second = house.gate(session).plan
    assert (first.revision, second.revision) == (1, 2)
    assert second.changes == ["Epochs: 2 became 4."]
    assert second.cost_high > first.cost_high
    assert second.body["candidates"][0]["epochs"] == 4


def test_approving_a_stale_revision_is_refused(house):
    """Row 1.6: an approval names the revision it approves."""
    session = house.start()
    house.drive(session)
    old = house.gate(session).plan.digest
    house.reply(session, "Use 4 epochs instead.")
    house.drive(session)
    outcome = house.reply(session, "Approved, proceed.", plan_digest=[old])
    assert outcome.kind == Kind.STALE
    assert (session.status, session.approved_amount) == (Status.WAITING, None)


def test_words_that_are_not_understood_approve_nothing(house):
    """Row 1.8: it asks again and never approves."""
    session = house.start()
    house.drive(session)
    assert house.reply(session, "Hm, let me think about that.").kind == Kind.AGAIN
    house.drive(session)
    assert (session.status, session.approved_amount) == (Status.WAITING, None)


def test_nothing_is_made_before_an_approval_and_a_rejection_makes_nothing(house):
    """Rows 1.6 and 1.7: until the end nothing but questions left the portal."""
    session = house.start()
    house.drive(session)
    house.reply(session, "Reject.")
    house.drive(session)
    assert session.status == Status.CANCELLED
    assert not session.resources.exists()
    assert not house.remote(JOBS)
    assert not house.remote(DEPLOYMENTS)
    assert [each["name"] for each in house.remote(DATASETS)] == [session.value("dataset")]
    assert all(body.get("validateOnly") or "baseModel" in body for body in house.wire.created(DEPLOYMENTS))
    told = report(session)
    assert (told["costs"]["actual"], told["costs"]["lines"]) == ("0", [])


def test_a_spend_beyond_the_approved_amount_waits_for_a_new_approval(house):
    """Row 1.7: cost so far, what is left and why; approved, it goes on where it stopped."""
    session = house.approved(lora_ranks=(8, 16))
    high = session.ledger.get(item="training:candidate:1").high
    TuningSession.objects.filter(pk=session.pk).update(approved_amount=high)
    house.drive(session)
    gate = house.gate(session)
    assert gate.kind == GateKind.SPEND
    assert gate.body["item"] == "training:candidate:2"
    assert Decimal(gate.body["left"]) == 0
    assert len(house.remote(JOBS)) == 1
    house.reply(session, "", action=["approve"])
    assert session.approved_amount == Decimal(gate.body["amount"])
    house.drive(session)
    assert len(house.remote(JOBS)) == 2
    assert house.gate(session).kind == GateKind.PROMOTION


def test_the_portals_client_refuses_what_the_session_did_not_make(house):
    """Row 1.9: structural; the call does not leave the process."""
    session = house.approved()
    with house.connect(session) as fireworks, pytest.raises(CallForbidden, match="not ours"):
        deployments.delete(fireworks, "accounts/rehearsal/deployments/somebody-elses")
    with house.connect(session) as fireworks, pytest.raises(CallForbidden, match="manifest"):
        fireworks.call("DELETE", f"/v1/{session.value('dataset')}")
    assert not house.wire.calls("DELETE", "")


def cancel(house, session):
    assert gates.cancel(session, owner(), house.clock())
    house.drive(session)


def test_cancelling_a_sweep_stops_its_own_jobs_and_nobody_elses(house):
    """Row 1.10: nothing more is launched, what runs is cancelled, the record and a report stay."""
    house.trainer.hold = True
    other = house.approved(rows=30)
    house.drive(other, until=lambda: len(house.trainer.running) == 1)
    session = house.approved(dataset=other.value("dataset"), lora_ranks=(8, 16, 32), parallel_jobs=2)
    house.drive(session, until=lambda: len(house.trainer.running) == 3)
    cancel(house, session)
    assert session.status == Status.CANCELLED
    states = {job["name"]: job["state"] for job in house.remote(JOBS)}
    assert states.pop(other.candidates.get().job) == "JOB_STATE_RUNNING"
    assert list(states.values()) == ["JOB_STATE_CANCELLED"] * 2
    assert {each.state for each in session.candidates.all()} == {CandidateState.CANCELLED}
    told = report(session)
    assert told["verdict"].startswith("The session was stopped")
    assert len(told["candidates"]) == 3
    assert {each["kind"] for each in told["standing"]} >= {"dataset", "job"}


def test_cancelling_takes_the_deployment_down(house):
    """Row 1.10: what costs money by the second does not stay."""
    session = house.approved()
    house.drive(session)
    house.reply(session, "Proceed with the winning config.")
    house.drive(session, until=lambda: bool(house.remote(DEPLOYMENTS)))
    cancel(house, session)
    assert session.status == Status.CANCELLED
    assert house.state(session.resources.get(kind="deployment").name) == "DELETED"
    assert "deployment" not in {each["kind"] for each in report(session)["standing"]}


def test_cancelling_while_it_waits_ends_it(house):
    """Row 1.10: the open gate is withdrawn, and nobody can approve it any more."""
    session = house.start()
    house.drive(session)
    gate = house.gate(session)
    cancel(house, session)
    gate.refresh_from_db()
    assert (session.status, gate.decision) == (Status.CANCELLED, "withdrawn")


def active(house):
    return sum(job["state"] != "JOB_STATE_COMPLETED" for job in house.remote(JOBS))


@pytest.mark.parametrize(("places", "shown", "total"), [(None, 6, 7), (2, 2, 4)])
def test_a_sliding_window_of_jobs(house, places, shown, total):
    """Row 1.12: never more than six, or the number given; the next starts as soon as one ends."""
    house.trainer.hold = True
    more = {"parallel_jobs": places} if places else {}
    rates = tuple(1e-4 * number for number in range(1, total + 1))
    session = house.approved(learning_rates=rates, epochs=1, **more)
    house.drive(session, until=lambda: len(house.trainer.running) == shown)
    for made in range(shown + 1, total + 1):
        house.trainer.finish()
        house.drive(session, until=lambda made=made: len(house.remote(JOBS)) == made)
        assert active(house) == shown
        house.drive(session, until=lambda: len(house.trainer.running) == shown)
    while house.trainer.running:
        house.trainer.finish()
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION
    assert len(house.remote(JOBS)) == total
