"""The engine's writes: claim a session by lease, and apply what a phase step came to.

The lease value is the fencing token: every write here names it, and a step whose lease was lost
meanwhile changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from sessions.actions.events import change
from sessions.models import Gate, PhaseRun, Plan, TuningSession
from sessions.models.event import Level
from sessions.states import ALIVE, PHASE_LABELS, Decision, GateKind, Phase, PhaseState, Status

LEASE = timedelta(seconds=30)


class LeaseLost(Exception):
    """Someone else advances the session now; what this step found is dropped."""


def due(now: datetime) -> Q:
    """Sessions whose time has come and that nobody advances at the moment."""
    return Q(status__in=ALIVE, wake_at__lte=now) & (Q(lease="") | Q(lease_until__lt=now))


def claim(public_id: str, now: datetime) -> TuningSession | None:
    """Take the lease of a due session; None when it is not due or another worker has it."""
    lease = uuid4().hex
    rows = TuningSession.objects.filter(due(now), public_id=public_id)
    if not rows.update(lease=lease, lease_until=now + LEASE):
        return None
    session = TuningSession.objects.get(public_id=public_id)
    session.lease = lease  # not what the row says by now: the lease that this worker took
    if session.status == Status.QUEUED:
        _move(session, "started", "A worker took the session", status=Status.RUNNING, started_at=now)
    return session


def renew(session: TuningSession, now: datetime) -> None:
    """Hold the lease longer; called between the slices of long work."""
    rows = TuningSession.objects.filter(pk=session.pk, lease=session.lease)
    if not rows.update(lease_until=now + LEASE):
        raise LeaseLost(session.public_id)


def _move(session: TuningSession, kind: str, text: str, *, level: Level = Level.INFO, **to: Any) -> None:
    if not change(session, kind, text, expected={"lease": session.lease}, to=to, level=level):
        raise LeaseLost(session.public_id)


def _phase(session: TuningSession, **to: Any) -> None:
    PhaseRun.objects.filter(session=session, phase=session.phase).update(**to)


@transaction.atomic
def begin_phase(session: TuningSession, now: datetime) -> None:
    """Mark the current phase as being worked on, once."""
    phase = PhaseRun.objects.get(session=session, phase=session.phase)
    if phase.state == PhaseState.PENDING:
        _phase(session, state=PhaseState.WORKING, started_at=now)
        _move(session, "phase-started", f"{PHASE_LABELS[Phase(session.phase)]} began")
    elif phase.state == PhaseState.WAITING:
        _phase(session, state=PhaseState.WORKING)


def say_anew(session: TuningSession, phase: Phase, note: str) -> None:
    """What came of an earlier phase, when a later one had to do its work over."""
    PhaseRun.objects.filter(session=session, phase=phase).update(note=note)


@transaction.atomic
def finish_phase(session: TuningSession, now: datetime, *, note: str, skipped: bool = False) -> None:
    """End the current phase and turn to the next one."""
    label = PHASE_LABELS[Phase(session.phase)]
    order = list(Phase)
    following = order[order.index(Phase(session.phase)) + 1]
    state = PhaseState.SKIPPED if skipped else PhaseState.DONE
    _phase(session, state=state, ended_at=now, note=note)
    text = f"{label} skipped: {note}" if skipped else f"{label} done: {note}"
    _move(session, f"phase-{state}", text, phase=following, tries=0)


def wait(session: TuningSession, now: datetime, until: datetime) -> None:
    """Let go of the session until a time. A cancellation that came meanwhile is taken up at once."""
    rows = TuningSession.objects.filter(pk=session.pk, lease=session.lease)
    if not rows.update(lease="", lease_until=None, wake_at=until, tries=0):
        raise LeaseLost(session.public_id)
    TuningSession.objects.filter(pk=session.pk, cancel_requested_at__isnull=False, ending="").update(
        wake_at=now
    )


def retry_later(session: TuningSession, until: datetime, text: str) -> None:
    """A step failed for a passing reason: back off, and say so."""
    _move(
        session, "retry", text, level=Level.WARN,
        lease="", lease_until=None, wake_at=until, tries=session.tries + 1,
    )  # fmt: skip


@transaction.atomic
def ask(
    session: TuningSession, now: datetime, kind: GateKind, text: str, body: dict[str, Any], plan: Plan | None
) -> None:
    """Open a gate and wait for a person: nothing is held, nothing runs, nothing costs.

    No gate is opened for a session that was cancelled meanwhile: it is taken up at once and stopped.
    """
    expected: dict[str, Any] = {"lease": session.lease}
    if not body.get("stopping"):  # what is asked about the stop itself is asked all the same
        expected["cancel_requested_at"] = None
    to = {"status": Status.WAITING, "wake_at": None, "lease": "", "lease_until": None, "tries": 0}
    if not change(session, "asked", text, expected=expected, to=to):
        return wait(session, now, now)
    _phase(session, state=PhaseState.WAITING)
    Gate.objects.create(session=session, kind=kind, plan=plan, body=body, opened_at=now)
    return None


@transaction.atomic
def end_early(
    session: TuningSession, now: datetime, ending: Status, text: str, failure: dict[str, Any] | None = None
) -> None:
    """Turn to the report, which every ending has; the session ends once it is written."""
    level = Level.BAD if ending == Status.FAILED else Level.WARN
    state = PhaseState.FAILED if ending == Status.FAILED else PhaseState.SKIPPED
    _phase(session, state=state, ended_at=now, note=text)
    skipped = PhaseRun.objects.filter(session=session, state=PhaseState.PENDING).exclude(phase=Phase.REPORT)
    skipped.update(state=PhaseState.SKIPPED, note="Not reached")
    _move(
        session, str(ending), text, level=level, ending=ending, phase=Phase.REPORT, failure=failure, tries=0
    )


@transaction.atomic
def end(session: TuningSession, now: datetime, note: str) -> None:
    """The report is written: the session is over."""
    status = session.ending or Status.SUCCEEDED
    level = Level.GOOD if status == Status.SUCCEEDED else Level.WARN
    _phase(session, state=PhaseState.DONE, ended_at=now, note=note)
    _move(
        session, "ended", f"Session {status}", level=level,
        status=status, wake_at=None, lease="", lease_until=None, ended_at=now,
    )  # fmt: skip
    Gate.objects.filter(session=session, decision=Decision.OPEN).update(
        decision=Decision.WITHDRAWN, decided_at=now
    )
