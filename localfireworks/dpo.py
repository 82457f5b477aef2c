"""Preference jobs, DPO and ORPO (fireworks-api.md, 5): create and check, show, metrics file.

The real job shows neither progress nor cost nor the time of its last change; so does this one.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import training_plan
from localfireworks.dpo_fields import DEFAULT_LEARNING_RATE, DpoFields, check_fields, resolved_loss
from localfireworks.dpo_work import COLLECTION
from localfireworks.job_calls import JobCalls, completed_time, file_path, parent_path, signed_file
from localfireworks.names import timestamp
from localfireworks.service import Service, base_url, found, ok, own_account, read_body, service_of
from localfireworks.store import Resource
from localfireworks.training_plan import Plan

LOG = "log.txt"


async def create_job(request: Request) -> Response:
    own_account(request)
    service, fields = service_of(request), await read_body(request, DpoFields)
    job = training_plan.new_job(service, COLLECTION, request.query_params.get("dpoJobId"))
    check_fields(fields)
    made = training_plan.plan(service, fields.dataset, fields.training_config)
    output = training_plan.output_model(service, fields.training_config.output_model, job.id)
    training_plan.insert_job(service, job, made, stored_fields(fields, made, output), "dpo")
    return ok(render(service, job, base_url(request)))


def stored_fields(fields: DpoFields, made: Plan, output: str) -> dict[str, Any]:
    """The fields as the job shows them, defaults filled in, the W&B key left out."""
    return fields.model_dump(by_alias=True, exclude_none=True) | {
        "trainingConfig": training_plan.stored_training(made, output, DEFAULT_LEARNING_RATE),
        "lossConfig": resolved_loss(fields.loss_config).model_dump(by_alias=True, exclude_none=True),
    }


def render(service: Service, job: Resource, base: str) -> dict[str, Any]:
    return shown(job) | {"trainerLogsSignedUrl": signed_file(service, job, base, LOG)}


def shown(job: Resource) -> dict[str, Any]:
    """A job as its row says, with a path in place of its link."""
    return {
        "name": job.name,
        "state": job.state,
        "createTime": timestamp(job.created),
        **job.body,
        **completed_time(job),
        "trainerLogsSignedUrl": file_path(job, LOG),
    }


async def metrics_endpoint(request: Request) -> Response:
    service, job = service_of(request), found(request, COLLECTION)
    return ok({"signedUrl": signed_file(service, job, base_url(request), "metrics.jsonl")})


PARENT = parent_path(COLLECTION)
routes = [
    Route(PARENT, create_job, methods=["POST"]),
    Route(PARENT + "/{id:rid}:getMetricsFileEndpoint", metrics_endpoint),
    *JobCalls(COLLECTION, render, shown).routes(),
]
