"""What the header and the timeline say, from rows that were never saved."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sessions.board import Facts, eta, header, phase_progress, progress, stalled, status_word, timeline
from sessions.models import Candidate, Gate, LedgerLine, PhaseRun, TuningSession
from sessions.states import GateKind, Phase, PhaseState, Status

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAN = {"time": {"low": 600, "high": 1200}}


def session(**columns: Any) -> TuningSession:
    values = {"title": "Replies", "workflow": "sft", "rehearsal": True, "created_at": NOW, **columns}
    return TuningSession(**values)


def runs(current: str, state: str = PhaseState.WORKING, started: datetime = NOW) -> list[PhaseRun]:
    order = list(Phase)
    at = order.index(Phase(current))
    states = [PhaseState.DONE] * at + [state] + [PhaseState.PENDING] * (6 - at)
    starts = [NOW - timedelta(hours=2)] * at + [started] + [None] * (6 - at)
    return [
        PhaseRun(phase=phase, position=number, state=state, started_at=start)
        for number, (phase, state, start) in enumerate(zip(order, states, starts, strict=True), 1)
    ]


def facts(tuning: TuningSession, **parts: Any) -> Facts:
    empty: dict[str, Any] = {
        "phases": runs(tuning.phase),
        "gates": [],
        "candidates": [],
        "ledger": [],
        "plan": None,
    }
    return Facts(session=tuning, now=NOW, **{**empty, **parts})


def job(number: int, **columns: Any) -> Candidate:
    return Candidate(number=number, **{"lora_rank": 8, "learning_rate": 1e-4, "epochs": 1, **columns})


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (GateKind.PLAN, "approve the plan"),
        (GateKind.QUESTIONS, "answer the questions"),
        (GateKind.PROMOTION, "confirm the winner"),
        (GateKind.SPEND, "more may be spent"),
        (GateKind.TROUBLE, "try again"),
    ],
)
def test_an_open_gate_says_what_you_must_do(kind: GateKind, words: str) -> None:
    gate = Gate(kind=kind, opened_at=NOW)
    shown = header(facts(session(status=Status.WAITING, phase=Phase.PLANNING), gates=[gate]))
    assert shown.who.startswith("You:")
    assert words in shown.who
    assert shown.word == "Needs you"
    assert shown.eta == "waits as long as you like, at no cost"


def test_nobody_must_act_while_the_portal_works() -> None:
    shown = header(facts(session(status=Status.RUNNING, phase=Phase.SWEEP)))
    assert shown.who == "Nobody: the portal is training the candidates."
    assert shown.where.startswith("Phase 3 of 7")
    assert shown.result.startswith("Not yet")


def test_the_end_points_at_the_result() -> None:
    over = session(status=Status.SUCCEEDED, started_at=NOW - timedelta(minutes=12), ended_at=NOW)
    shown = header(facts(over))
    assert "the model" in shown.result
    assert shown.eta == "took 12 min"
    assert shown.percent == 100
    assert not shown.may_cancel


@pytest.mark.parametrize(
    ("columns", "word", "state"),
    [
        ({"status": Status.RUNNING, "cancel_requested_at": NOW}, "Cancelling", Status.RUNNING),
        ({"status": Status.RUNNING, "ending": Status.FAILED}, "Failed, writing the report", Status.FAILED),
        ({"status": Status.CANCELLED, "cancel_requested_at": NOW}, "Cancelled", Status.CANCELLED),
        ({"status": Status.QUEUED}, "Queued", Status.QUEUED),
    ],
)
def test_an_ending_is_said_as_soon_as_it_is_decided(columns: dict[str, Any], word: str, state: str) -> None:
    assert status_word(session(**columns)) == (word, state)


def test_a_session_that_asked_for_cancelling_cannot_be_cancelled_again() -> None:
    assert header(facts(session(status=Status.RUNNING))).may_cancel
    assert not header(facts(session(status=Status.RUNNING, cancel_requested_at=NOW))).may_cancel


def test_stalled_is_derived_from_a_wake_up_that_nobody_took() -> None:
    late = session(status=Status.RUNNING, wake_at=NOW - timedelta(minutes=3))
    assert "No worker has touched this for 3 min" in stalled(late, NOW)
    late.lease, late.lease_until = "x", NOW + timedelta(seconds=5)
    assert stalled(late, NOW) == ""
    assert stalled(session(status=Status.WAITING, wake_at=None), NOW) == ""
    assert stalled(session(status=Status.RUNNING, wake_at=NOW - timedelta(seconds=5)), NOW) == ""


def test_time_left_is_the_plan_less_what_was_worked() -> None:
    running = session(status=Status.RUNNING, phase=Phase.SWEEP)
    started = runs(Phase.SWEEP, started=NOW - timedelta(minutes=5))
    assert eta(facts(running, phases=started, plan=PLAN)) == "about 5 min to 15 min left"
    long_ago = runs(Phase.SWEEP, started=NOW - timedelta(minutes=15))
    assert eta(facts(running, phases=long_ago, plan=PLAN)) == "less than 5 min left"
    too_long = runs(Phase.SWEEP, started=NOW - timedelta(minutes=30))
    assert eta(facts(running, phases=too_long, plan=PLAN)).startswith("longer than estimated: 30 min so far")
    assert eta(facts(running, phases=started, plan=None)) == ""


def test_waiting_at_the_promotion_gate_is_not_time_worked() -> None:
    running = session(status=Status.RUNNING, phase=Phase.TRAINING)
    begun = runs(Phase.TRAINING, started=NOW - timedelta(minutes=1))
    begun[2].started_at = NOW - timedelta(hours=1)
    for run in begun[:2]:
        run.started_at = NOW - timedelta(hours=5)
    gate = Gate(
        kind=GateKind.PROMOTION,
        decision="approved",
        opened_at=NOW - timedelta(minutes=56),
        decided_at=NOW - timedelta(minutes=1),
    )
    assert eta(facts(running, phases=begun, gates=[gate], plan=PLAN)) == "about 5 min to 15 min left"


def test_progress_of_the_sweep_counts_its_candidates() -> None:
    jobs = [job(1, state="done"), job(2, state="active", percent=50), job(3), job(4, state="failed")]
    assert phase_progress(Phase.SWEEP, jobs) == ("2 of 4 candidates done", 62)
    assert phase_progress(Phase.INSPECTION, jobs) == ("", None)
    assert (
        phase_progress(Phase.TRAINING, [job(5, role="final", state="active", percent=30)])[0]
        == "30 % trained"
    )
    running = session(status=Status.RUNNING, phase=Phase.SWEEP)
    assert progress(facts(running, candidates=jobs)) == int(100 * (2 + 0.62) / 7)


def test_the_timeline_sets_estimate_against_actual() -> None:
    ledger = [
        LedgerLine(label="a", phase=Phase.SWEEP, expected=Decimal("1.50"), actual=Decimal("1.25")),
        LedgerLine(label="b", phase=Phase.SWEEP, expected=Decimal("0.50")),
        LedgerLine(label="c", phase=Phase.DEPLOYMENT, expected=None, actual=Decimal(6)),
    ]
    steps = timeline(facts(session(status=Status.RUNNING, phase=Phase.SWEEP), ledger=ledger))
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6, 7]
    assert (steps[2].estimate, steps[2].actual) == (Decimal("2.00"), Decimal("1.25"))
    assert (steps[5].estimate, steps[5].actual) == (None, Decimal(6))
    assert steps[2].is_current
    assert not steps[1].is_current


def test_a_skipped_phase_shows_its_reason_and_no_duration() -> None:
    phases = runs(Phase.EVALUATION)
    phases[3].state, phases[3].note = PhaseState.SKIPPED, "You asked to skip it."
    step = timeline(facts(session(status=Status.RUNNING, phase=Phase.EVALUATION), phases=phases))[3]
    assert (step.word, step.note, step.seconds) == ("Skipped", "You asked to skip it.", None)
