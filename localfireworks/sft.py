"""Supervised fine-tuning jobs (fireworks-api.md, 4): create and check, show, cancel, resume, estimate."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import jobs
from localfireworks.errors import already_exists, precondition
from localfireworks.listing import read_mask, stored_page
from localfireworks.names import check_id, new_id, timestamp
from localfireworks.rates import money
from localfireworks.service import Service, base_url, found, ok, own_account, read_body, service_of
from localfireworks.sft_fields import SftFields
from localfireworks.sft_plan import expected_cost, output_model, plan, stored_fields
from localfireworks.sft_work import COLLECTION
from localfireworks.store import Resource

# Fields that `render` makes; a job's body has the others.
COMPUTED = frozenset(
    {
        "completedTime",
        "estimatedCost",
        "jobProgress",
        "metricsFileSignedUrl",
        "rehearsal",
        "renderSamplesSignedUrl",
        "trainerLogsSignedUrl",
        "updateTime",
    }
)


async def create_job(request: Request) -> Response:
    own_account(request)
    service, fields = service_of(request), await read_body(request, SftFields)
    id_ = check_id(request.query_params.get("supervisedFineTuningJobId") or new_id(), "job id")
    job = service.new(COLLECTION, id_, jobs.CREATING, {})
    if service.store.get(job.name) is not None:
        raise already_exists(job.name)
    made = plan(service, fields)
    job.body = stored_fields(made, output_model(service, fields.output_model, id_))
    job.body |= {"createdBy": f"{service.account}@localhost", "status": jobs.OK_STATUS}
    job.private |= {
        "entered": job.created,
        "folder": f"{id_}-{new_id()}",
        "base": made.model.base.name,
        "adapter": str(made.model.adapter) if made.model.adapter else None,
        "rows": made.dataset.private["rows"],
        "cost": money(expected_cost(service, made.tokens, made.model)),
        "budget": service.settings.token_budget,
    }
    return ok(render(service, service.store.insert(job), base_url(request)))


def progress_of(service: Service, job: Resource) -> dict[str, Any]:
    """The job process's own account of how far it is."""
    kept = job.private.get("progress")
    if kept is not None:
        return dict(kept)
    return jobs.read_state(jobs.job_folder(service, job), "progress.json")


def render(service: Service, job: Resource, base: str) -> dict[str, Any]:
    progress = progress_of(service, job)
    shown = {
        "name": job.name,
        "state": job.state,
        "createTime": timestamp(job.created),
        "updateTime": timestamp(max(job.updated, _seconds(progress.get("updated")))),
        **job.body,
        "estimatedCost": job.private["cost"],
        "jobProgress": {
            "percent": 100 if job.state == jobs.COMPLETED else int(progress.get("percent") or 0),
            "epoch": int(progress.get("epoch") or 0),
            "inputTokens": int(progress.get("input_tokens") or 0),
            "outputTokens": 0,
            "cachedInputTokenCount": 0,
            "totalInputRequests": 0,
            "totalProcessedRequests": 0,
            "successfullyProcessedRequests": 0,
            "failedRequests": 0,
            "outputRows": 0,
        },
        "metricsFileSignedUrl": service.signer.sign(base, "GET", storage_path(job, "metrics.jsonl")),
        "trainerLogsSignedUrl": service.signer.sign(base, "GET", storage_path(job, "log.txt")),
        "rehearsal": {
            "tokenBudget": str(job.private["budget"]),
            "totalTokens": str(progress.get("total_tokens") or 0),
            "rowsUsed": progress.get("rows_used"),
            "rowsTotal": progress.get("rows_total") or job.private["rows"],
        },
    }
    if "completed" in job.private and job.state in jobs.TERMINAL:
        shown["completedTime"] = timestamp(job.private["completed"])
    return shown


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def storage_path(job: Resource, file: str) -> str:
    return f"jobs/{job.collection}/{job.account}/{job.id}/{file}"


async def list_jobs(request: Request) -> Response:
    service, base = service_of(request), base_url(request)
    account = own_account(request)
    page = stored_page(
        service.store,
        COLLECTION,
        account,
        request.query_params,
        lambda job: render(service, job, base),
        computed=COMPUTED,
    )
    return ok(page)


async def get_job(request: Request) -> Response:
    body = render(service_of(request), found(request, COLLECTION), base_url(request))
    return ok(read_mask(body, request.query_params.get("readMask")))


async def delete_job(request: Request) -> Response:
    """The process is ended first; until then the job is DELETING."""
    service, job = service_of(request), found(request, COLLECTION)
    jobs.move(service, job, jobs.DELETING)
    return ok({})


async def cancel_job(request: Request) -> Response:
    service, job = service_of(request), found(request, COLLECTION)
    if job.state in jobs.TERMINAL:
        raise precondition(f"{job.name} is {job.state}: nothing to cancel")
    if job.state not in jobs.ENDING:
        jobs.move(service, job, jobs.CANCELLING)
    return ok({})


async def resume_job(request: Request) -> Response:
    """Continue a stopped job from its last checkpoint."""
    service, job = service_of(request), found(request, COLLECTION)
    if job.state not in {jobs.PAUSED, jobs.FAILED, jobs.CANCELLED}:
        raise precondition(
            f"{job.name} is {job.state}: only a paused, failed or cancelled job can be resumed"
        )
    for key in ("completed", "progress"):
        job.private.pop(key, None)
    jobs.move(service, job, jobs.RE_QUEUEING, running=False, retries=0)
    return ok(render(service, job, base_url(request)))


async def estimate_cost(request: Request) -> Response:
    own_account(request)
    service = service_of(request)
    made = plan(service, await read_body(request, SftFields))
    return ok({"estimatedCost": money(expected_cost(service, made.tokens, made.model))})


PARENT = "/v1/accounts/{account}/supervisedFineTuningJobs"
ONE = PARENT + "/{id:rid}"
routes = [
    Route(PARENT, list_jobs),
    Route(PARENT, create_job, methods=["POST"]),
    Route(PARENT + ":estimateCost", estimate_cost, methods=["POST"]),
    Route(ONE + ":cancel", cancel_job, methods=["POST"]),
    Route(ONE + ":resume", resume_job, methods=["POST"]),
    Route(ONE, get_job),
    Route(ONE, delete_job, methods=["DELETE"]),
]
