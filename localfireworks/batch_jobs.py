"""Batch inference jobs (fireworks-api.md, 7.2): create and check, show."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import batch_work, datasets, jobs
from localfireworks.batch_fields import BatchFields, check_fields
from localfireworks.batch_work import COLLECTION
from localfireworks.errors import already_exists, invalid, not_found, precondition
from localfireworks.job_calls import JobCalls, kept_progress, parent_path, progress_of
from localfireworks.names import check_id, full_name, new_id, timestamp
from localfireworks.service import Service, base_url, ok, own_account, read_body, service_of
from localfireworks.store import Resource
from localfireworks.training_plan import new_job, ready_dataset

LARGEST_INPUT = 1_000_000_000  # bytes


async def create_job(request: Request) -> Response:
    own_account(request)
    service, fields = service_of(request), await read_body(request, BatchFields)
    job = new_job(service, COLLECTION, request.query_params.get("batchInferenceJobId"))
    check_fields(fields)
    earlier = earlier_job(service, fields)
    body = fields.model_dump(by_alias=True, exclude_none=True)
    if earlier:
        for field in ("model", "inputDatasetId"):
            body[field] = body[field] or earlier.body[field]
    data = input_dataset(service, body["inputDatasetId"])
    body["outputDatasetId"] = output_dataset(service, fields.output_dataset_id, job.id)
    job.body = body | {"createdBy": f"{service.account}@localhost", "status": jobs.OK_STATUS}
    job.private |= {"entered": job.created, "folder": f"{job.id}-{new_id()}", "rows": data.private["rows"]}
    job.private["rows"] -= len(batch_work.answered_before(service, job))
    service.store.insert(job)
    return ok(render(service, job, base_url(request)))


def earlier_job(service: Service, fields: BatchFields) -> Resource | None:
    """The job to continue: over, of the same input, with something left to answer."""
    name = fields.continued_from_job_name
    if not name:
        return None
    job = service.store.get(full_name(name, COLLECTION, "continued_from_job_name"))
    if job is None:
        raise not_found(name)
    if job.state not in jobs.TERMINAL:
        raise precondition(f"{name} is {job.state}: only a job that is over can be continued")
    if fields.input_dataset_id not in ("", job.body["inputDatasetId"]):
        raise invalid(f"input_dataset_id must be that of {name}: {job.body['inputDatasetId']}")
    if len(batch_work.answered_rows(service, job)) >= job.private["rows"]:
        raise precondition(f"{name} answered everything: nothing is left to continue")
    return job


def input_dataset(service: Service, name: str) -> Resource:
    row = ready_dataset(service, name, "input_dataset_id", 1)
    size = sum(path.stat().st_size for path in datasets.files_of(service, row))
    if size > LARGEST_INPUT:
        raise invalid(f"{name} has {size} bytes: a batch takes at most {LARGEST_INPUT}")
    return row


def output_dataset(service: Service, given: str, job_id: str) -> str:
    """Full name of the dataset to be made; refused when it exists or is about to."""
    prefix = f"accounts/{service.account}/datasets/"
    name = full_name(given or f"{prefix}{job_id}-output"[:103], "datasets", "output_dataset_id")
    if not name.startswith(prefix):
        raise invalid(f"invalid output_dataset_id {given!r}: it must be in your own account")
    check_id(name.removeprefix(prefix), "output_dataset_id")
    maker = jobs.active_job(
        service, lambda fields: name in (fields.get("outputDatasetId"), fields.get("outputDataset"))
    )
    if service.store.get(name) is not None or maker is not None:
        raise already_exists(name)
    return name


def render(service: Service, job: Resource, base: str) -> dict[str, Any]:
    del base
    return shown(job, progress_of(service, job))


def shown(job: Resource, progress: dict[str, Any] | None = None) -> dict[str, Any]:
    """A job as its row says, or as far as it now is."""
    return {
        "name": job.name,
        "state": job.state,
        "createTime": timestamp(job.created),
        "updateTime": timestamp(job.updated),
        **job.body,
        "jobProgress": job_progress(job, kept_progress(job) if progress is None else progress),
    }


def job_progress(job: Resource, seen: dict[str, Any]) -> dict[str, Any]:
    """Counters as the service shows them."""
    succeeded, failed = int(seen.get("succeeded") or 0), int(seen.get("failed") or 0)
    return {
        "percent": 100 if job.state == jobs.COMPLETED else int(seen.get("percent") or 0),
        "epoch": 0,
        "totalInputRequests": job.private["rows"],
        "totalProcessedRequests": succeeded + failed,
        "successfullyProcessedRequests": succeeded,
        "failedRequests": failed,
        "outputRows": succeeded,
        "inputTokens": int(seen.get("input_tokens") or 0),
        "outputTokens": int(seen.get("output_tokens") or 0),
        "cachedInputTokenCount": 0,
    }


PARENT = parent_path(COLLECTION)
routes = [
    Route(PARENT, create_job, methods=["POST"]),
    *JobCalls(COLLECTION, render, shown, order="createTime", verbs=("cancel",)).routes(),
]
