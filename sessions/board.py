"""What the session page says about a session, derived from its rows. Pure: rows and a clock in, words out.

The header answers three questions: where are we, who must act next, where is the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sessions.models import Candidate, Gate, LedgerLine, PhaseRun, TuningSession
from sessions.models.evidence import Role
from sessions.specification import Workflow
from sessions.states import PHASE_LABELS, GateKind, Phase, PhaseState, Status
from sessions.templatetags.portal import duration

STALLED_AFTER = timedelta(seconds=45)
ZERO = Decimal(0)
STATUS_WORDS = {
    Status.QUEUED: "Queued",
    Status.RUNNING: "Running",
    Status.WAITING: "Needs you",
    Status.SUCCEEDED: "Succeeded",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
}
PHASE_WORDS = {
    PhaseState.PENDING: "To do",
    PhaseState.WORKING: "Working",
    PhaseState.WAITING: "Needs you",
    PhaseState.DONE: "Done",
    PhaseState.SKIPPED: "Skipped",
    PhaseState.FAILED: "Failed",
}
ASKED = {
    GateKind.QUESTIONS: "You: answer the questions below.",
    GateKind.PLAN: "You: approve the plan below, or ask for changes.",
    GateKind.PROMOTION: "You: confirm the winner below.",
    GateKind.SPEND: "You: say whether more may be spent.",
    GateKind.TROUBLE: "You: say whether to try again.",
}
NOW_DOING = {
    Phase.INSPECTION: "reading the data",
    Phase.PLANNING: "working out the plan",
    Phase.SWEEP: "training the candidates",
    Phase.TRAINING: "training the winner on all the data",
    Phase.EVALUATION: "measuring the final model",
    Phase.DEPLOYMENT: "deploying the model",
    Phase.REPORT: "writing the report",
}
WRITING = {Phase.EVALUATION: "writing the evaluator", Phase.DEPLOYMENT: "registering the evaluator"}
LIVE_PHASES = (Phase.SWEEP, Phase.TRAINING, Phase.EVALUATION, Phase.DEPLOYMENT, Phase.REPORT)


@dataclass(frozen=True)
class Facts:
    """The rows that one page needs, read once."""

    session: TuningSession
    phases: Sequence[PhaseRun]
    gates: Sequence[Gate]
    candidates: Sequence[Candidate]
    ledger: Sequence[LedgerLine]
    plan: dict[str, Any] | None  # the body of the newest revision
    now: datetime

    @property
    def open_gate(self) -> Gate | None:
        return next((gate for gate in self.gates if gate.is_open), None)


@dataclass(frozen=True)
class Header:
    """The first card of the page."""

    word: str
    state: str  # the state word whose icon and colour are shown
    where: str
    who: str
    result: str
    stalled: str
    percent: int
    spent: Decimal
    approved: Decimal | None
    eta: str
    may_cancel: bool


@dataclass(frozen=True)
class Step:
    """One row of the timeline. Money in USD, durations in seconds."""

    number: int
    phase: str
    label: str
    word: str
    state: str
    is_current: bool
    seconds: float | None
    note: str
    progress: str
    percent: int | None
    estimate: Decimal | None
    actual: Decimal | None


def header(facts: Facts) -> Header:
    """Where the session stands, who must act, where the result is."""
    session = facts.session
    word, state = status_word(session)
    return Header(
        word=word,
        state=state,
        where=where(facts),
        who=who(facts),
        result=result(session),
        stalled=stalled(session, facts.now),
        percent=progress(facts),
        spent=spent(facts.ledger),
        approved=session.approved_amount,
        eta=eta(facts),
        may_cancel=not session.is_over and not session.ending and session.cancel_requested_at is None,
    )


def status_word(session: TuningSession) -> tuple[str, str]:
    """The badge: word, and the state that gives icon and colour. An ending that is decided is said."""
    if not session.is_over and (session.cancel_requested_at or session.ending == Status.CANCELLED):
        return "Cancelling", Status.RUNNING
    if not session.is_over and session.ending == Status.FAILED:
        return "Failed, writing the report", Status.FAILED
    return STATUS_WORDS[Status(session.status)], session.status


def where(facts: Facts) -> str:
    """The phase in words, and how far it is."""
    session = facts.session
    if session.is_over:
        return f"Over since {session.ended_at:%Y-%m-%d %H:%M} UTC." if session.ended_at else "Over."
    phase = Phase(session.phase)
    said = f"Phase {list(Phase).index(phase) + 1} of 7: {PHASE_LABELS[phase]}"
    more = phase_progress(phase, facts.candidates)[0]
    return f"{said}, {more}." if more else f"{said}."


def who(facts: Facts) -> str:
    """Who must act next."""
    session, gate = facts.session, facts.open_gate
    if session.is_over:
        return "Nobody: this session is over."
    if gate:
        return ASKED.get(GateKind(gate.kind), "You: decide below.")
    if session.status == Status.QUEUED:
        return "Nobody: a worker takes it next."
    if session.cancel_requested_at:
        return "Nobody: the portal stops what is running."
    doing = NOW_DOING | (WRITING if session.workflow == Workflow.AUTHORING else {})
    return f"Nobody: the portal is {doing[Phase(session.phase)]}."


def result(session: TuningSession) -> str:
    """Where the result is, or when it comes."""
    authoring = session.workflow == Workflow.AUTHORING
    thing = "evaluator" if authoring else "model"
    if session.status == Status.SUCCEEDED and session.value("benchmark_only"):
        return "Below: how well each base model answers, and the report. Nothing was trained."
    if session.status == Status.SUCCEEDED:
        made = "its scores on real samples" if authoring else "how to call it"
        return f"Below: the {thing}, {made}, and the report."
    if session.is_over:
        return f"There is no {thing} to use; the report says what was done and what it cost."
    if session.ending:
        return f"No {thing}; a report follows in a moment."
    return "Not yet. Every ending leaves a report."


def stalled(session: TuningSession, now: datetime) -> str:
    """Words for a session that should have moved and has not; empty when all is well."""
    if session.is_over or session.wake_at is None:
        return ""
    late = now - session.wake_at
    held = session.lease and session.lease_until and session.lease_until > now
    if held or late < STALLED_AFTER:
        return ""
    silence = duration(late.total_seconds())
    return f"No worker has touched this for {silence}. It goes on by itself once one runs."


def spent(ledger: Iterable[LedgerLine]) -> Decimal:
    """What is known to have been spent, in USD; reservations do not count."""
    return sum((line.actual for line in ledger if line.actual is not None), ZERO)


def progress(facts: Facts) -> int:
    """Share of the seven phases that is behind us, in percent; a working sweep counts by its candidates."""
    if facts.session.is_over:
        return 100
    total = 0.0
    for run in facts.phases:
        if run.state in {PhaseState.DONE, PhaseState.SKIPPED, PhaseState.FAILED}:
            total += 1
        elif run.state == PhaseState.WORKING:
            total += (phase_progress(Phase(run.phase), facts.candidates)[1] or 0) / 100
    return int(100 * total / max(1, len(facts.phases)))


def phase_progress(phase: Phase, candidates: Sequence[Candidate]) -> tuple[str, int | None]:
    """How far a training phase is: in words, and in percent."""
    role = {Phase.SWEEP: Role.SWEEP, Phase.TRAINING: Role.FINAL}.get(phase)
    jobs = [each for each in candidates if each.role == role]
    if not jobs:
        return "", None
    share = sum(100 if each.is_over else min(each.percent, 100) for each in jobs) // len(jobs)
    over = sum(each.is_over for each in jobs)
    if role == Role.FINAL and len(jobs) == 1:
        return f"{share} % trained", share
    return f"{over} of {len(jobs)} candidates done", share


def eta(facts: Facts) -> str:
    """Time left, from the plan's range less the time worked since; in words, empty before a plan."""
    session, time = facts.session, (facts.plan or {}).get("time") or {}
    if session.is_over:
        begun, ended = session.started_at or session.created_at, session.ended_at
        return f"took {duration((ended - begun).total_seconds())}" if ended else ""
    if facts.open_gate:
        return "waits as long as you like, at no cost"
    if not time or session.phase not in LIVE_PHASES or session.ending or session.cancel_requested_at:
        return ""
    worked = working_seconds(facts)
    low, high = time["low"] - worked, time["high"] - worked
    if high <= 0:
        return f"longer than estimated: {duration(worked)} so far, {duration(time['high'])} at most expected"
    return (
        f"about {duration(low)} to {duration(high)} left" if low > 0 else f"less than {duration(high)} left"
    )


def working_seconds(facts: Facts) -> float:
    """Time since the sweep began, without what was spent waiting for a person."""
    begun = [run.started_at for run in facts.phases if run.phase in LIVE_PHASES and run.started_at]
    if not begun:
        return 0.0
    start = min(begun)
    waited = [
        ((gate.decided_at or facts.now) - gate.opened_at).total_seconds()
        for gate in facts.gates
        if gate.opened_at >= start
    ]
    return float((facts.now - start).total_seconds() - sum(waited))


def timeline(facts: Facts) -> list[Step]:
    """The seven phases in their order."""
    return [step(run, facts) for run in facts.phases]


def step(run: PhaseRun, facts: Facts) -> Step:
    lines = [line for line in facts.ledger if line.phase == run.phase]
    estimates = [line.expected for line in lines if line.expected is not None]
    actuals = [line.actual for line in lines if line.actual is not None]
    is_current = run.phase == facts.session.phase and not facts.session.is_over
    words, percent = (
        phase_progress(Phase(run.phase), facts.candidates) if run.state == PhaseState.WORKING else ("", None)
    )
    return Step(
        number=run.position,
        phase=run.phase,
        label=PHASE_LABELS[Phase(run.phase)],
        word=PHASE_WORDS[PhaseState(run.state)],
        state=run.state,
        is_current=is_current,
        seconds=phase_seconds(run, facts.now),
        note=run.note,
        progress=words,
        percent=percent,
        estimate=sum(estimates, ZERO) if estimates else None,
        actual=sum(actuals, ZERO) if actuals else None,
    )


def phase_seconds(run: PhaseRun, now: datetime) -> float | None:
    """How long a phase took, or has taken so far."""
    if run.started_at is None or run.state in {PhaseState.PENDING, PhaseState.SKIPPED}:
        return None
    return ((run.ended_at or now) - run.started_at).total_seconds()
