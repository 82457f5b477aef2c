"""Supervised fine-tuning jobs (fireworks-api.md, 4): create and check, show, estimate."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import jobs, training_plan
from localfireworks.job_calls import (
    JobCalls,
    completed_time,
    file_path,
    kept_progress,
    parent_path,
    progress_of,
    signed_file,
)
from localfireworks.names import timestamp
from localfireworks.rates import money
from localfireworks.service import Service, base_url, ok, own_account, parse_body, read_json, service_of
from localfireworks.sft_fields import DEFAULT_LEARNING_RATE, SftFields, check_fields, unwrapped
from localfireworks.sft_work import COLLECTION
from localfireworks.store import Resource
from localfireworks.training_plan import Plan

FILES = {
    "metricsFileSignedUrl": "metrics.jsonl",
    "renderSamplesSignedUrl": "render_samples.jsonl",
    "trainerLogsSignedUrl": "log.txt",
}


async def create_job(request: Request) -> Response:
    own_account(request)
    service, fields = service_of(request), await read_fields(request)
    job = training_plan.new_job(service, COLLECTION, request.query_params.get("supervisedFineTuningJobId"))
    made = plan(service, fields)
    output = training_plan.output_model(service, fields.output_model, job.id)
    training_plan.insert_job(service, job, made, stored_fields(fields, made, output), "sft")
    return ok(render(service, job, base_url(request)))


async def read_fields(request: Request) -> SftFields:
    """The body, flat or wrapped."""
    return parse_body(unwrapped(await read_json(request)), SftFields)


def plan(service: Service, fields: SftFields) -> Plan:
    """Check a whole request; raises what the service would answer."""
    check_fields(fields)
    made = training_plan.plan(service, fields.dataset, fields)
    if fields.evaluation_dataset:
        training_plan.ready_dataset(service, fields.evaluation_dataset, "evaluation_dataset", 1)
    return made


def stored_fields(fields: SftFields, made: Plan, output: str) -> dict[str, Any]:
    """The fields as the job shows them, defaults filled in, the W&B key left out."""
    carve = fields.eval_auto_carveout
    carve = not fields.evaluation_dataset if carve is None else carve
    training = training_plan.stored_training(made, output, DEFAULT_LEARNING_RATE)
    return training | {"evalAutoCarveout": carve}


def render(service: Service, job: Resource, base: str) -> dict[str, Any]:
    links = {field: signed_file(service, job, base, file) for field, file in FILES.items()}
    return shown(job, progress_of(service, job)) | links


def shown(job: Resource, progress: dict[str, Any] | None = None) -> dict[str, Any]:
    """A job as its row says, or as far as it now is; paths in place of links."""
    progress = kept_progress(job) if progress is None else progress
    return {
        "name": job.name,
        "state": job.state,
        "createTime": timestamp(job.created),
        "updateTime": timestamp(max(job.updated, _seconds(progress.get("updated")))),
        **job.body,
        **completed_time(job),
        "estimatedCost": job.private["cost"],
        "encryptionState": "ENCRYPTION_STATE_PLAINTEXT",
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
        **{field: file_path(job, file) for field, file in FILES.items()},
        "rehearsal": {
            "tokenBudget": str(job.private["budget"]),
            "totalTokens": str(progress.get("total_tokens") or 0),
            "rowsUsed": progress.get("rows_used"),
            "rowsTotal": progress.get("rows_total") or job.private["rows"],
            "rowsCutOff": progress.get("rows_cut_off") or 0,
        },
    }


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


async def estimate_cost(request: Request) -> Response:
    own_account(request)
    service = service_of(request)
    made = plan(service, await read_fields(request))
    return ok({"estimatedCost": money(training_plan.expected_cost(service, made, "sft"))})


PARENT = parent_path(COLLECTION)
routes = [
    Route(PARENT, create_job, methods=["POST"]),
    Route(PARENT + ":estimateCost", estimate_cost, methods=["POST"]),
    *JobCalls(COLLECTION, render, shown).routes(),
]
