"""Batch inference: one job for all rows at half the serverless price, without a deployment of ours.

A job answers the rows that carry its number; what it leaves open goes to the next one, which continues it
when its time ran out. A job cannot be cancelled. Source: facts sheet 7.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sessions.actions import answering, spending
from sessions.actions.answering import NOT_ASKED, Open
from sessions.models import Answer, Artifact, Resource
from workflows.answers import live
from workflows.answers.asking import Asking, Refused
from workflows.answers.gauge import Gauge
from workflows.answers.prompts import JSONL
from workflows.answers.subjects import Subject
from workflows.creating import Wanted, ensure
from workflows.fireworks import batch_jobs, batch_results, names
from workflows.fireworks.batch_jobs import BatchJob
from workflows.fireworks.errors import (
    REFUSALS,
    BadAnswer,
    CallForbidden,
    Conflict,
    FireworksError,
    NotFound,
    Temporary,
    parse_fault,
)
from workflows.outcomes import Wait
from workflows.phases import datasets

NAME, LABEL = "batch", "batch inference"
KIND = "batch"  # of the job's resource
MOST_JOBS = 5  # for one subject: a row that five jobs left open will not be answered by a sixth
PENDING_SECONDS = 3 * 3600  # a model that batches do not take may leave its job PENDING for ever
PASSING = frozenset(
    {"INTERNAL", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED", "ABORTED"}
    | {"408", "429", "500", "502", "503", "504"}
)
GROUP = 500  # answers stored at a time


def unfit(subject: Subject, /) -> str:
    """Base models and tuned ones alike; only the try tells whether this very model is taken."""
    del subject
    return ""


def step(asking: Asking) -> Wait | None:
    """Start the job for the open rows, look at it, or keep what it answered. None when every row is over."""
    number, rows = in_flight(asking)
    if not rows:
        rows = asking.open_rows()
        if not rows:
            return None
        number = count_of(asking) + 1
        if number > MOST_JOBS:
            raise Refused(f"{len(rows):,} rows have no answer after {MOST_JOBS} batch jobs")
        gauge = Gauge.of(asking)
        rows = list(gauge.job(rows)) if gauge else rows
        answering.mark(asking.serving, asking.work.clock(), rows, {"way": NAME, "batch": number}, rows)
    resource = launched(asking, number, rows)
    job = batch_jobs.get(asking.work.fireworks, resource.name)
    if not job.over and not stuck(asking, resource, job):
        return Wait(asking.work.poll_seconds)
    last = kept_of(asking, resource, job, rows)
    if not job.succeeded and not job.expired:
        raise Refused(job.status.message or why_over(job), last)
    answering.store(asking.work.session, asking.work.clock(), last)
    return Wait(0.0) if asking.open_rows() else None


def in_flight(asking: Asking) -> tuple[int, list[Open]]:
    """The number of the job that is under way, and its rows; no rows when none is."""
    known = Answer.objects.filter(
        session=asking.work.session, prompts=asking.prompts.name, subject=asking.subject.key
    )
    found = [
        (detail["batch"], Open(row, attempt))
        for row, attempt, detail in known.filter(answered_at=None).values_list("row", "attempt", "detail")
        if "batch" in detail and NOT_ASKED not in detail and "lost" not in detail
    ]
    return (found[0][0] if found else 0), [row for _, row in found]


def purpose(asking: Asking, number: int) -> str:
    return f"batch-{asking.prompts.name}-{asking.subject.slug}-{number}"


def count_of(asking: Asking) -> int:
    """How many jobs this subject and prompt set had so far."""
    so_far = [purpose(asking, number) for number in range(1, MOST_JOBS + 1)]
    return Resource.objects.filter(session=asking.work.session, purpose__in=so_far).count()


def launched(asking: Asking, number: int, rows: Sequence[Open]) -> Resource:
    """The job of that number; its input is uploaded first. Raises Refused."""
    work, known = asking.work, asking.work.resource(purpose(asking, number))
    if known and known.created_at:
        return known
    request = known.request if known else request_for(asking, number, rows)

    def make(resource: Resource) -> None:
        job = wanted(asking, resource.request["job"])
        batch_jobs.create(work.fireworks, names.short(resource.name), job)

    job = Wanted(KIND, batch_jobs.COLLECTION, purpose(asking, number), attempt=number, request=request)
    try:
        resource = ensure(work, job, make)
    except (CallForbidden, Conflict):
        raise
    except REFUSALS as error:
        again = opened(asking, rows, {NOT_ASKED: "the batch job was refused"})
        raise Refused(error.provider_message or str(error), again) from error
    work.tell("batch-started", f"{len(rows):,} {asking.prompts.words} went to {asking.subject.label} "
              f"as batch job {names.short(resource.name)}")  # fmt: skip
    return resource


def request_for(asking: Asking, number: int, rows: Sequence[Open]) -> dict[str, Any]:
    """What the job will be asked; kept in its row, so that a repeated call is the same."""
    work, whole = asking.work, f"{purpose(asking, number)}-answers"
    identifier = names.resource_id("fwp", work.session.public_id, whole, number, f"{work.now:%Y%m%d%H%M%S}")
    output = names.full_name(work.fireworks.account, "datasets", identifier)
    job = {"model": asking.subject.model, "output_dataset": output}
    earlier = work.resource(purpose(asking, number - 1))
    if earlier and earlier.created_at and batch_jobs.get(work.fireworks, earlier.name).expired:
        job |= {"input_dataset": earlier.request["job"]["input_dataset"], "continued_from": earlier.name}
    else:
        job |= {"input_dataset": datasets.uploaded(work, input_part(asking, [each.row for each in rows]))}
    return {"prompts": asking.prompts.name, "subject": asking.subject.key, "job": job}


def wanted(asking: Asking, job: dict[str, Any]) -> batch_jobs.Batch:
    """The job as the client takes it; each row of the input has its own seed."""
    sampling = asking.prompts.sampling
    return batch_jobs.Batch(
        **job,
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        extra={"reasoning_effort": sampling.reasoning_effort, **sampling.extra},
        display_name=f"{asking.work.session.public_id} {asking.prompts.name}",
    )


def input_part(asking: Asking, rows: Sequence[int]) -> datasets.Part:
    """The rows as a file of requests. All subjects that are asked the same rows share one file."""
    work, prompts = asking.work, asking.prompts
    digest = hashlib.sha256(orjson.dumps([prompts.sha256, list(rows)])).hexdigest()[:8]
    name = f"prompts/{prompts.name}-{digest}.jsonl"
    if not Artifact.objects.filter(session=work.session, name=name).exists():
        work.keep(name, JSONL, b"".join(lines(asking, rows)), rows=len(rows))
    return datasets.Part(name, f"dataset-{prompts.name}-{digest}", f"prompts {prompts.name}", format="")


def lines(asking: Asking, rows: Sequence[int]) -> Iterator[bytes]:
    """`{custom_id, body}`, one a row; the row's number is its id."""
    messages = asking.prompts.messages(set(rows))
    for row in rows:
        told = {"custom_id": str(row), "body": asking.prompts.sampling.body(row, messages[row])}
        yield orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def stuck(asking: Asking, resource: Resource, job: BatchJob) -> bool:
    """Whether a job has waited so long without answering anything that it will not begin."""
    begun = job.progress.succeeded or job.progress.failed or job.word == "RUNNING"
    return not begun and asking.work.waited_for(resource) > PENDING_SECONDS


def why_over(job: BatchJob) -> str:
    """Why a job that told no reason is not waited for."""
    if job.over:
        return f"the batch job ended as {job.word}"
    return f"the batch job is still {job.word} after {PENDING_SECONDS // 3600} hours and may never begin"


@dataclass(frozen=True)
class Ended:
    """What becomes of the rows that a job left open: an expired or unbegun one did not ask them."""

    job: BatchJob

    @property
    def detail(self) -> dict[str, Any]:
        if self.job.expired or (self.job.over and not self.job.succeeded and not self.job.progress.succeeded):
            return {NOT_ASKED: f"the batch job ended as {self.job.word}"}
        return {"lost": f"the batch job left it out and is {self.job.word}"}


def kept_of(asking: Asking, resource: Resource, job: BatchJob, rows: Sequence[Open]) -> list[Answer]:
    """Store the answers and refusals of a job that is over, all but the last ones: these are returned, with
    the rows that are open again. Where reading stumbles what was read is stored, and the next step reads the
    same job again."""
    work, left = asking.work, {str(each.row): each for each in rows}
    output = job.output_dataset or resource.request["job"]["output_dataset"]
    group: list[Answer] = []
    try:
        for at, found in enumerate(batch_results.fetch(work.fireworks, output) if job.over else ()):
            if at == 0:
                spending.adopt(work.session, work.clock(), "dataset", f"{resource.purpose}-answers", output)
            row = left.pop(found.custom_id, None)
            if row is not None:
                group.append(kept(asking, row, found))
            if len(group) >= GROUP:
                answering.store(work.session, work.clock(), group)
                group = []
    except NotFound:  # nothing was answered, so there is no dataset
        pass
    except FireworksError as error:
        answering.store(work.session, work.clock(), group)
        if isinstance(error, BadAnswer):
            raise Temporary(str(error), error.fault) from error
        raise
    return [*group, *opened(asking, list(left.values()), Ended(job).detail)]


def kept(asking: Asking, row: Open, found: batch_results.Row) -> Answer:
    """One line of the output as an answer, a refusal, or a row to be asked again."""
    detail = {"way": NAME, "seed": asking.prompts.sampling.seed_of(row.row)}
    now = asking.work.clock()
    if found.answer:
        told = detail | live.completion_facts(found.answer)
        return answering.answer(
            asking.serving, row, asked_at=now, answered_at=now, text=found.answer.text, detail=told
        )
    code = parse_fault(0, {"error": found.raw.get("error")}).code
    if (found.broken or code in PASSING) and row.attempt < live.MOST_ATTEMPTS:
        return answering.answer(asking.serving, row, asked_at=now, detail=detail | {"lost": found.error})
    return answering.answer(
        asking.serving, row, asked_at=now, answered_at=now, error=found.error, detail=detail
    )


def opened(asking: Asking, rows: Sequence[Open], detail: dict[str, Any]) -> list[Answer]:
    """Rows that a job did not answer, open again for another job or another way."""
    now, told = asking.work.clock(), {"way": NAME, **detail}
    return [answering.answer(asking.serving, each, asked_at=now, detail=told) for each in rows]
