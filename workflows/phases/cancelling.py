"""Cancelling: what the session itself has running is stopped; what it made is listed, not deleted."""

from __future__ import annotations

import logging
from decimal import Decimal

from sessions.actions import spending
from sessions.models import Candidate, Resource
from sessions.states import CandidateState, ResourceState
from workflows import uptime
from workflows.answers import stopping, temporary
from workflows.faults import left_as_it_is
from workflows.fireworks import deployments
from workflows.fireworks.errors import CallForbidden, NotFound, Permanent, Temporary
from workflows.outcomes import Cancelled, Outcome, Wait
from workflows.phases import candidates, trainers
from workflows.work import Work

log = logging.getLogger(__name__)
PATIENCE_SECONDS = 15 * 60  # a job that is told to end writes its results first


def step(work: Work) -> Outcome:
    """Ask for the end of every job and deployment of this session, and wait until they are over."""
    if left_as_it_is(work.session):
        return Cancelled("Ended before everything was seen to have stopped")
    asked = work.session.cancel_requested_at or work.now
    if not all_stopped(work):
        return keep_looking(work, (work.now - asked).total_seconds())
    rejected = work.session.gates.filter(decision="rejected").exists()
    return Cancelled("Stopped at your word" if rejected else "Cancelled")


def keep_looking(work: Work, seconds: float) -> Outcome:
    """Look again soon. What does not stop for so long is told to a person by way of a passing fault."""
    if seconds < PATIENCE_SECONDS:
        return Wait(work.poll_seconds)
    running = [each.job for each in work.session.candidates.filter(state=CandidateState.ACTIVE)]
    standing = [each.name for each in made(work, "deployment")]
    names = ", ".join(running + standing)
    raise Temporary(f"After {PATIENCE_SECONDS // 60} minutes it has not stopped: {names}")


def all_stopped(work: Work) -> bool:
    """Whether no job and no deployment of the session is there any more; asks for the end of each."""
    stopping.leave(work)
    running = [each for each in work.session.candidates.all() if not stopped(work, each)]
    standing = [each for each in made(work, "deployment") if not torn_down(work, each)]
    return not running and not standing


def made(work: Work, kind: str) -> list[Resource]:
    """Remote things of one kind that the session made or was about to make."""
    return list(Resource.objects.filter(session=work.session, kind=kind).exclude(state=ResourceState.GONE))


def stopped(work: Work, candidate: Candidate) -> bool:
    """Whether a candidate has nothing running any more; asks for its end when it has."""
    adopt_lost_job(work, candidate)
    if candidate.state == CandidateState.PLANNED:
        spending.settle(work.session, candidates.ledger_item(candidate), Decimal(0), "it was never started")
        return over(work, candidate)
    if candidate.is_over:
        return True
    job = job_of(work, candidate.job)
    if job is None:
        return over(work, candidate)
    if job.over:
        candidates.look(work, candidate)
        return over(work, candidate)
    if job.state != "JOB_STATE_CANCELLING":
        try:
            trainers.trainer_of(work.session).cancel(work.fireworks, job.name)
        except CallForbidden:
            raise
        except Permanent as error:  # it ended meanwhile, or is being cancelled: the next look tells
            log.info("cancelling %s: %s", job.name, error)
    return False


def over(work: Work, candidate: Candidate) -> bool:
    """Mark a candidate as cancelled, unless it was trained to its end."""
    Candidate.objects.filter(pk=candidate.pk).exclude(state=CandidateState.DONE).update(
        state=CandidateState.CANCELLED, ended_at=work.clock()
    )
    return True


def job_of(work: Work, name: str) -> trainers.Seen | None:
    """A job; None when it is not in the account any more."""
    try:
        return trainers.trainer_of(work.session).look(work.fireworks, name)
    except NotFound:
        return None


def adopt_lost_job(work: Work, candidate: Candidate) -> None:
    """A job whose creation was cut off may be there all the same: its intended name tells."""
    resource = work.resource(f"job-{candidate.number}")
    if candidate.state != CandidateState.PLANNED or resource is None:
        return
    if job_of(work, resource.name):
        spending.created(resource, work.clock())
        candidates.launched(work, candidate, resource)
        candidate.refresh_from_db()


def torn_down(work: Work, resource: Resource) -> bool:
    """Whether a deployment of ours is gone; deletes it when it is not."""
    if temporary.is_temporary(resource):
        return temporary.gone(work, resource)
    try:
        found = deployments.get(work.fireworks, resource.name)
        if not found.gone and not found.ending:
            deployments.delete(work.fireworks, resource.name)
    except NotFound:
        if resource.state == ResourceState.INTENDED:
            spending.settle(work.session, uptime.ITEM, Decimal(0), "it was never made")
        else:
            uptime.settle(resource, work.clock(), gone=True)
        spending.gone(resource, work.clock())
        return True
    if found.gone:
        uptime.settle(resource, work.clock(), gone=True)
        spending.gone(resource, work.clock())
    return found.gone
