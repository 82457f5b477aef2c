"""Training jobs of candidates: launch, look at, finish."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction

from sessions import wake
from sessions.actions import spending
from sessions.models import Candidate, Resource
from sessions.models.event import Level
from sessions.models.evidence import Role
from sessions.specification import Workflow, short_name
from sessions.states import CandidateState
from workflows.creating import Wanted, ensure
from workflows.fireworks import names
from workflows.fireworks.errors import CallForbidden, Conflict, NotFound, Permanent
from workflows.phases import by_tokens, curves, trainers
from workflows.work import Work


def ledger_item(candidate: Candidate) -> str:
    """The ledger line that pays for a candidate's training. Where several candidates get a full-data run,
    each base model has one."""
    if candidate.role == Role.SWEEP:
        return f"training:candidate:{candidate.number}"
    if candidate.session.workflow == Workflow.CLASSIFICATION:
        return f"training:final:{short_name(candidate.base_model)}"
    return "training:final"


def launch(work: Work, candidate: Candidate, dataset: str, heldout: str) -> None:
    """Start a candidate's job. A refusal of this very configuration fails this candidate alone; a name
    that is taken does not, since a job of ours may be running under it."""
    purpose, item = f"job-{candidate.number}", ledger_item(candidate)
    training = trainers.request(candidate, dataset, heldout)
    trainer = trainers.trainer_of(work.session)
    wanted = Wanted("job", trainer.collection, purpose, item, candidate.attempt, {"training": training})
    try:
        resource = ensure(work, wanted, lambda resource: start(work, resource))
    except (CallForbidden, Conflict):
        raise
    except Permanent as error:
        spending.settle(work.session, item, Decimal(0), "the job was refused")
        fail(work, candidate, {"code": error.code, "message": error.provider_message or str(error)})
        return
    launched(work, candidate, resource)


def launched(work: Work, candidate: Candidate, resource: Resource) -> None:
    """The job is there: from now on it is looked at."""
    Candidate.objects.filter(pk=candidate.pk, state=CandidateState.PLANNED).update(
        state=CandidateState.ACTIVE,
        job=resource.name,
        model=output_model(work, resource),
        launched_at=work.clock(),
    )


def start(work: Work, resource: Resource) -> None:
    """The call itself, under the name that the resource's row already has."""
    trainer = trainers.trainer_of(work.session)
    model = output_model(work, resource)
    trainer.start(work.fireworks, names.short(resource.name), model, resource.request["training"])


def output_model(work: Work, resource: Resource) -> str:
    """The tuned model is named like the job that makes it."""
    return names.full_name(work.fireworks.account, "models", names.short(resource.name))


def look(work: Work, candidate: Candidate) -> None:
    """Read a running candidate's job and keep what is new."""
    try:
        job = trainers.trainer_of(work.session).look(work.fireworks, candidate.job)
    except NotFound as error:
        fail(work, candidate, {"code": error.code, "message": "the job is not in the account any more"})
        return
    changed = curves.read(work, candidate, job)
    facts: dict[str, Any] = {
        "remote_state": job.state,
        "percent": curves.percent(candidate) if job.percent is None else job.percent,
        "tokens": curves.tokens(candidate) if job.tokens is None else job.tokens,
    }
    if job.rehearsal:
        facts["detail"] = {**candidate.detail, "rehearsal": dict(job.rehearsal)}
    different = changed or any(getattr(candidate, name) != value for name, value in facts.items())
    if different:
        Candidate.objects.filter(pk=candidate.pk, state=CandidateState.ACTIVE).update(**facts)
    if job.paused and candidate.remote_state != job.state:
        work.tell("paused", f"{candidate.label}: Fireworks paused the job", level=Level.WARN)
    candidate.refresh_from_db()
    if job.over:
        conclude(work, candidate, job)
    elif different:
        wake.publish(work.session.public_id)


def conclude(work: Work, candidate: Candidate, job: trainers.Seen) -> None:
    """A job that is over: keep its cost and its result."""
    if job.cost is not None:
        spending.settle(work.session, ledger_item(candidate), job.cost, gap(candidate))
        Candidate.objects.filter(pk=candidate.pk).update(cost=job.cost)
    elif (worked_out := by_tokens.cost(candidate)) is not None:
        reason = f"worked out from {candidate.tokens:,} trained tokens: the job tells no cost"
        spending.settle(work.session, ledger_item(candidate), worked_out, reason)
        Candidate.objects.filter(pk=candidate.pk).update(cost=worked_out)
    if not job.succeeded:
        fail(work, candidate, {"code": job.status.code or job.word, "message": job.status.message})
        return
    spending.adopt(work.session, work.clock(), "model", f"model-{candidate.number}", candidate.model)
    done = Candidate.objects.filter(pk=candidate.pk, state=CandidateState.ACTIVE)
    text = f"{candidate.label} trained: {curves.losses(candidate)}"
    with transaction.atomic():
        if done.update(state=CandidateState.DONE, percent=100, ended_at=work.clock()):
            work.tell("candidate-done", text, level=Level.GOOD)


def fail(work: Work, candidate: Candidate, failure: dict[str, Any]) -> None:
    """A candidate that will not come to anything; the others go on."""
    rows = Candidate.objects.filter(pk=candidate.pk).exclude(state=CandidateState.FAILED)
    detail = {**candidate.detail, "failure": failure}
    words = failure["message"] or failure["code"] or "no reason was given"
    with transaction.atomic():
        if rows.update(state=CandidateState.FAILED, detail=detail, ended_at=work.clock()):
            work.tell("candidate-failed", f"{candidate.label} failed: {words}", level=Level.BAD)


def gap(candidate: Candidate) -> str:
    """Why the actual cost differs from the estimate, as far as we can tell."""
    rehearsal = candidate.detail.get("rehearsal") or {}
    used, total = rehearsal.get("rowsUsed"), rehearsal.get("rowsTotal")
    if used and total and int(used) < int(total):
        return f"the rehearsal's token budget let it train on {int(used):,} of {int(total):,} rows"
    if candidate.tokens:
        return f"Fireworks counted {candidate.tokens:,} trained tokens"
    return ""
