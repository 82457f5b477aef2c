"""Evaluation jobs: an evaluator scores the rows of a dataset into another (fireworks-api.md, 8)."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import evaluator_builds, jobs
from localfireworks.batch_jobs import output_dataset
from localfireworks.errors import invalid, not_found, precondition
from localfireworks.evaluation_work import COLLECTION
from localfireworks.job_calls import JobCalls, parent_path, signed_file
from localfireworks.names import check_display_name, full_name, new_id, timestamp
from localfireworks.service import Message, Service, base_url, found, ok, own_account, read_body, service_of
from localfireworks.signing import LIFETIME
from localfireworks.store import Resource
from localfireworks.training_plan import new_job, ready_dataset

LOG = "log.txt"


class EvaluationFields(Message):
    """What to score. The three names are full."""

    evaluator: str = ""
    input_dataset: str = ""
    output_dataset: str = ""
    display_name: str = ""
    aws_s3_config: dict[str, Any] | None = None


class EvaluationCreate(Message):
    evaluation_job: EvaluationFields
    evaluation_job_id: str = ""
    leaderboard_ids: list[str] = Field(default_factory=list)


async def create_job(request: Request) -> Response:
    own_account(request)
    message, service = await read_body(request, EvaluationCreate), service_of(request)
    fields = message.evaluation_job
    job = new_job(service, COLLECTION, message.evaluation_job_id or None)
    for name in ("evaluator", "input_dataset", "output_dataset"):
        if not getattr(fields, name):
            raise invalid(f"{name} is required")
    check_display_name(fields.display_name)
    evaluator = active_evaluator(service, fields.evaluator)
    rows = ready_dataset(service, fields.input_dataset, "input_dataset", 1).private["rows"]
    output_dataset(service, fields.output_dataset, job.id)
    made = {"metrics": {}, "outputStats": "", "createdBy": f"{service.account}@localhost"}
    job.body = fields.model_dump(by_alias=True, exclude_none=True) | made | {"status": jobs.OK_STATUS}
    source = str(evaluator_builds.folder_of(service, evaluator) / "source")
    job.private |= {"entered": job.created, "folder": f"{job.id}-{new_id()}", "rows": rows, "source": source}
    service.store.insert(job)
    return ok(render(service, job, base_url(request)))


def active_evaluator(service: Service, name: str) -> Resource:
    row = service.store.get(full_name(name, evaluator_builds.COLLECTION, "evaluator"))
    if row is None:
        raise not_found(name)
    if row.state != evaluator_builds.ACTIVE:
        raise precondition(f"{name} is {row.state}, not ACTIVE: its build must succeed first")
    return row


def render(service: Service, job: Resource, base: str) -> dict[str, Any]:
    del service, base
    return shown(job)


def shown(job: Resource) -> dict[str, Any]:
    return {
        "name": job.name,
        "state": job.state,
        "createTime": timestamp(job.created),
        "updateTime": timestamp(job.updated),
        **job.body,
    }


async def log_endpoint(request: Request) -> Response:
    """A signed URL of what the evaluator printed; nothing while there is no log."""
    service, job = service_of(request), found(request, COLLECTION)
    if not (jobs.job_folder(service, job) / LOG).exists():
        return ok({"executionLogSignedUri": ""})
    return ok(
        {
            "executionLogSignedUri": signed_file(service, job, base_url(request), LOG),
            "contentType": "text/plain",
            "expireTime": timestamp(service.clock() + LIFETIME),
        }
    )


PARENT = parent_path(COLLECTION)
routes = [
    Route(PARENT, create_job, methods=["POST"]),
    Route(PARENT + "/{id:rid}:getExecutionLogEndpoint", log_endpoint),
    *JobCalls(COLLECTION, render, shown, verbs=()).routes(),
]
