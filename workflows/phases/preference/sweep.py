"""Phase 3 of preference learning: make the pairs where there are none, then train the candidates.

With an early stop each model is measured as soon as it is trained, and nothing is launched between its end
and the number: so no job starts after the one that reached the target (product row 4.7).
"""

from __future__ import annotations

from sessions.actions import spending, sweeping
from sessions.models import Candidate
from sessions.states import CandidateState
from workflows.outcomes import Done, Failed, Outcome, Wait
from workflows.phases import cancelling, candidates, sweep
from workflows.phases.preference import making, measuring, review
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Pairs, then jobs; done when every candidate that was started is over."""
    outcome = review.step(work)
    if outcome is not None:
        return outcome
    wanted = sweep.prepared(work)
    part = making.training_part(work.session)
    stopping = bool(work.session.value("stop_early"))
    over = sweep.advanced(work, wanted, part, launch=not stopping)
    if stopping:
        outcome = measured(work, wanted)
        if outcome is not None:
            return outcome
        reached = next((each for each in wanted if measuring.reaches(work.session, each)), None)
        if reached:
            leave_out(work, wanted, reached)
        else:  # by the same look: what ended since is measured before anything starts
            sweep.launch_next(work, wanted, part)
        over = all(each.is_over for each in wanted)
    if not over:
        return Wait(work.poll_seconds)
    done = [each for each in wanted if each.state == CandidateState.DONE]
    if not done:
        return Failed(sweep.all_failed(wanted))
    return Done(f"{len(done)} of {len(wanted)} candidates are trained")


def measured(work: Work, wanted: list[Candidate]) -> Outcome | None:
    """None when every trained candidate has its number."""
    for candidate in wanted:
        if candidate.state == CandidateState.DONE:
            outcome = measuring.step(work, candidate)
            if outcome is not None:
                return outcome
    return None


def leave_out(work: Work, wanted: list[Candidate], reached: Candidate) -> None:
    """What was not started is not started any more; what runs goes on, as the plan says. So does a job whose
    creation was cut off: it is looked for first."""
    for candidate in wanted:
        if candidate.state != CandidateState.PLANNED:
            continue
        cancelling.adopt_lost_job(work, candidate)
        resource = work.resource(f"job-{candidate.number}")
        if resource and candidate.state == CandidateState.PLANNED:
            spending.gone(resource, work.clock())  # it was looked for by its name: it was never made
        sweeping.leave_out(
            candidate,
            work.clock(),
            purpose=f"job-{candidate.number}",
            item=candidates.ledger_item(candidate),
            text=f"{candidate.label} is not trained: {reached.label.lower()} reached the target",
        )
        candidate.refresh_from_db()
