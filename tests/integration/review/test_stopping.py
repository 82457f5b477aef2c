"""Stopping comes to an end, whatever Fireworks answers: nothing turns in circles or is stuck in silence."""

from decimal import Decimal

from fwportal.middleware import owner
from sessions.actions import gates, moves, spending
from sessions.models import LedgerLine, TuningSession
from sessions.states import CandidateState, GateKind, Status
from tests.integration.workflows.house import DEPLOYMENTS, JOBS, Killed, report
from workflows.phases import cancelling, candidates


def training(house, **values):
    """A session whose jobs run and do not end by themselves."""
    house.trainer.hold = True
    session = house.approved(**values)
    house.drive(session, until=lambda: bool(house.trainer.running))
    return session


def cancel(house, session):
    assert gates.cancel(session, owner(), house.clock())
    session.refresh_from_db()


def test_a_job_that_somebody_deleted_fails_its_candidate_alone(house):
    session = training(house)
    house.wire.refuse("GET", session.candidates.get().job, 404, times=99, message="no such job", code=5)
    house.drive(session)
    assert session.status == Status.FAILED
    assert "not in the account" in session.failure["theirs"]
    assert session.candidates.get().state == CandidateState.FAILED


def test_a_job_that_somebody_deleted_does_not_keep_a_session_from_being_cancelled(house):
    session = training(house)
    house.wire.refuse("GET", session.candidates.get().job, 404, times=99, message="no such job", code=5)
    cancel(house, session)
    house.drive(session)
    assert session.status == Status.CANCELLED
    assert session.candidates.get().state == CandidateState.CANCELLED


def test_a_stop_that_fireworks_refuses_is_asked_about_and_can_be_left(house):
    session = training(house)
    job = session.candidates.get().job
    house.wire.refuse("GET", job, 401, times=99, message="key revoked", code=16)
    cancel(house, session)
    house.drive(session)
    gate = house.gate(session)
    assert (session.status, gate.kind) == (Status.WAITING, GateKind.TROUBLE)
    assert gate.body["theirs"] == "key revoked"
    house.reply(session, "Try again.")
    house.drive(session)
    house.reply(session, "Cancel.")
    house.drive(session)
    assert session.status == Status.CANCELLED
    (still,) = [each for each in report(session)["standing"] if each["kind"] == "job"]
    assert still["name"] == job
    assert "cancel it there" in still["costs"]


def test_a_job_that_will_not_stop_is_told_to_a_person(house):
    session = training(house)
    job = session.candidates.get().job
    house.wire.refuse("POST", f"{job}:cancel", 400, times=99, message="the job is paused", code=9)
    cancel(house, session)
    house.clock.pass_by(cancelling.PATIENCE_SECONDS)
    house.drive(session)
    assert (session.status, house.gate(session).body["stopping"]) == (Status.WAITING, True)
    assert job in house.gate(session).body["text"]


def test_the_clean_up_after_a_failure_cannot_fail_for_ever(house):
    session = training(house)
    job = session.candidates.get().job
    house.wire.refuse("GET", job, 400, times=99, message="broken by hand", code=3)
    house.drive(session)
    assert session.ending == Status.FAILED
    assert house.gate(session).body["stopping"]
    assert session.events.count() < 60
    house.reply(session, "Cancel.")
    house.drive(session)
    assert session.status == Status.FAILED
    assert session.failure["theirs"] == "broken by hand"


def test_what_was_never_started_keeps_no_money_back(house):
    session = training(house, lora_ranks=(8, 16), parallel_jobs=1)
    cancel(house, session)
    house.drive(session)
    waiting = LedgerLine.objects.get(session=session, item="training:candidate:2")
    assert (waiting.actual, waiting.gap) == (Decimal(0), "it was never started")


def test_jobs_whose_creation_was_cut_off_are_found_named_and_stopped(house):
    house.trainer.hold = True
    session = house.approved(lora_ranks=(8, 16))
    house.wire.kill("POST", JOBS, after=True)
    try:
        house.drive(session)
    except Killed:
        cancel(house, session)
    house.clock.pass_by(moves.LEASE.total_seconds() + 1)
    house.drive(session)
    assert session.status == Status.CANCELLED
    first = session.candidates.get(number=1)
    assert (first.state, first.job.split("/")[-1]) == (CandidateState.CANCELLED, first.model.split("/")[-1])
    assert {job["state"] for job in house.remote(JOBS)} == {"JOB_STATE_CANCELLED"}


def test_a_deployment_that_was_refused_keeps_no_money_back(house):
    session = house.approved()
    house.drive(session)
    house.wire.refuse("POST", DEPLOYMENTS, 400, times=9, message="no such shape", code=3)
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.FAILED
    assert LedgerLine.objects.get(session=session, item="deployment:first-hour").actual == 0


def test_a_cancellation_during_a_launch_is_no_fault_of_the_portal(house):
    session = house.approved(lora_ranks=(8, 16))
    taken = []

    def cancelled_now(ask):
        taken.append(gates.cancel(TuningSession.objects.get(pk=session.pk), owner(), house.clock()))
        return ask()

    house.wire.refuse("POST", JOBS, 500)
    house.wire.faults[-1].act = cancelled_now
    house.drive(session)
    assert taken == [True]
    assert session.status == Status.CANCELLED
    assert len(house.remote(JOBS)) == 1
    assert not [each.text for each in session.events.all() if "unexpected" in each.text]


def test_a_gate_is_not_opened_over_a_cancellation_that_came_a_moment_ago(house):
    session = house.start()
    held = moves.claim(session.public_id, house.clock())
    cancel(house, session)
    moves.ask(held, house.clock(), GateKind.PLAN, "Approve?", {}, None)
    session.refresh_from_db()
    assert (session.status, session.wake_at, session.lease) == (Status.RUNNING, house.clock(), "")
    assert not session.gates.exists()


def test_the_ledger_lines_that_are_settled_are_those_of_the_plan(house):
    """The names of lines are spelled in three places; a wrong one would settle nothing, in silence."""
    session = house.approved(lora_ranks=(8, 16))
    house.drive(session)
    items = set(LedgerLine.objects.filter(session=session).values_list("item", flat=True))
    assert {candidates.ledger_item(each) for each in session.candidates.all()} <= items
    assert {"deployment:first-hour", "inference"} <= items
    assert spending.committed(session) > 0
