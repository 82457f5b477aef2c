"""Advance a session: claim it by lease, run one phase step with no transaction open, apply the outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta

from django.utils import timezone

from sessions import wake
from sessions.actions import moves
from sessions.models import TuningSession
from sessions.states import Phase, Status
from workflows import authoring, classification, preference, sft
from workflows.connect import check_account, connect
from workflows.faults import left_as_it_is, outcome_of
from workflows.fireworks.client import Fireworks
from workflows.fireworks.wire import Exchange
from workflows.leases import held
from workflows.outcomes import Ask, Cancelled, Done, Failed, Finished, Outcome, Retry, Skip, Wait
from workflows.phases import cancelling
from workflows.work import Work

log = logging.getLogger(__name__)

Step = Callable[[Work], Outcome]
Clock = Callable[[], datetime]
Connect = Callable[[TuningSession, Callable[[Exchange], None]], Fireworks]
WORKFLOWS: Mapping[str, Mapping[Phase, Step]] = {
    "sft": sft.PHASES,
    "authoring": authoring.PHASES,
    "preference": preference.PHASES,
    "classification": classification.PHASES,
}
SOONEST_RETRY, LATEST_RETRY = 1.0, 60.0
# A step that worked for so long and has more to do is woken at once; a quicker one waits for the sweep,
# so that none of them spins.
WORKED = timedelta(seconds=1)
STEPS_A_CLAIM = 20  # phases that finish at once follow each other without a new wake-up


def advance(
    public_id: str,
    *,
    connect_for: Connect = connect,
    clock: Clock = timezone.now,
) -> bool:
    """Take a due session as far as it goes now. False when it was not due or another worker has it."""
    session = moves.claim(public_id, clock())
    if session is None:
        return False
    try:
        for _ in range(STEPS_A_CLAIM):
            if not step(session, connect_for, clock):
                return True
            session.reload()
        moves.wait(session, clock(), clock())
    except moves.LeaseLost:
        log.info("lease of session %s was lost, what this step found is dropped", public_id)
    return True


def step(session: TuningSession, connect_for: Connect, clock: Clock) -> bool:
    """One phase step and its outcome. True when the next step can follow at once."""
    began = clock()
    moves.begin_phase(session, began)
    outcome = run(session, connect_for, clock)
    follows = apply(session, outcome, clock())
    if outcome == Wait(0.0) and clock() - began >= WORKED:
        wake.advance_soon(session.public_id)
    return follows


def run(session: TuningSession, connect_for: Connect, clock: Clock) -> Outcome:
    """The outcome of the step that is due. The one broad except of the project is here: a poisoned
    session must back off and stay visible, whatever is wrong with it."""
    seen: list[Exchange] = []
    stopping = bool(session.cancel_requested_at or session.ending)
    try:
        with held(session, clock), closing(connect_for(session, seen.append)) as fireworks:
            if not left_as_it_is(session):
                check_account(session)
            return chosen(session)(Work(session, fireworks, clock, clock(), seen))
    except moves.LeaseLost:
        raise
    except Exception as error:
        log.warning("session %s, %s: %s", session.public_id, session.phase, error, exc_info=True)
        if session.cancel_requested_at and not stopping:
            return Wait(0.0)  # cancelled meanwhile: to stop comes first, whatever this was
        return outcome_of(error, session, stopping=stopping)


def chosen(session: TuningSession) -> Step:
    """The step that is due: the phase's, unless the session is being cancelled."""
    if session.cancel_requested_at and not session.ending:
        return cancelling.step
    return WORKFLOWS[session.workflow][Phase(session.phase)]


def apply(session: TuningSession, outcome: Outcome, now: datetime) -> bool:
    """Write what a step came to. True when the next step can follow at once."""
    match outcome:
        case Done(note):
            moves.finish_phase(session, now, note=note)
            return True
        case Skip(note):
            moves.finish_phase(session, now, note=note, skipped=True)
            return True
        case Wait(seconds):
            moves.wait(session, now, now + timedelta(seconds=seconds))
        case Ask(kind, text, body, plan):
            moves.ask(session, now, kind, text, body, plan)
        case Failed(failure):
            facts = {"phase": session.phase, **vars(failure)}
            moves.end_early(session, now, Status.FAILED, failure.ours, facts)
            return True
        case Cancelled(note):
            moves.end_early(session, now, Status.CANCELLED, note)
            return True
        case Finished(note):
            moves.end(session, now, note)
        case Retry(text):
            moves.retry_later(session, now + timedelta(seconds=back_off(session.tries)), text)
    return False


def back_off(tries: int) -> float:
    """Seconds before the next try: doubling, bounded."""
    return float(min(SOONEST_RETRY * 2**tries, LATEST_RETRY))
