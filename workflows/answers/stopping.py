"""The end of a session that was cancelled or failed while answers were collected."""

from __future__ import annotations

from sessions.actions import answering
from sessions.models import Resource, Serving
from workflows.answers import batch, settling
from workflows.fireworks import batch_jobs, names
from workflows.fireworks.errors import NotFound
from workflows.work import Work


def leave(work: Work) -> None:
    """End every subject that is not over: settle what its answers cost, and say what cannot be stopped.
    Temporary deployments are deleted with all other deployments of the session."""
    for serving in Serving.objects.filter(session=work.session, ended_at=None):
        serving.session = work.session
        running = [each for each in jobs_of(serving) if not is_over(work, each)]
        if not running:
            settling.settle(work, serving)
        facts = {"running": [each.name for each in running]}
        answering.end(serving, work.clock(), words(serving, running), facts)


def jobs_of(serving: Serving) -> list[Resource]:
    """The batch jobs that answer for a subject."""
    found = Resource.objects.filter(session=serving.session, kind=batch.KIND)
    return list(found.filter(request__prompts=serving.prompts, request__subject=serving.subject))


def is_over(work: Work, job: Resource) -> bool:
    """Whether a batch job runs no more, or was never made."""
    try:
        return batch_jobs.get(work.fireworks, job.name).over
    except NotFound:
        return True


def words(serving: Serving, running: list[Resource]) -> str:
    """What is said of a subject that was left."""
    given = serving.session.answers.filter(prompts=serving.prompts, subject=serving.subject)
    count = given.exclude(answered_at=None).count()
    told = f"Left {serving.subject} after {count:,} of {serving.rows:,} rows of {serving.prompts}"
    if not running:
        return told
    listed = ", ".join(names.short(each.name) for each in running)
    return f"{told}; batch inference cannot be cancelled, so {listed} runs to its end and is billed"
