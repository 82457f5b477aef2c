"""Batch inference jobs as the supervisor runs them: waiting for a model, the output dataset, expiry."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from localfireworks import datasets, jobs, usage
from localfireworks.batch_fields import InferenceParameters
from localfireworks.batch_files import AnswerFile
from localfireworks.batch_runs import BatchRuns
from localfireworks.jobs import Runner
from localfireworks.models import find_model
from localfireworks.service import Service
from localfireworks.store import Resource

COLLECTION = "batchInferenceJobs"
EXPIRED = jobs.PREFIX + "EXPIRED"
HALF = Decimal("0.5")  # of the serverless price


def check(service: Service, job: Resource) -> dict[str, str] | None:
    """VALIDATING: the input must still be there."""
    name = job.body["inputDatasetId"]
    if service.store.get(name) is None:
        return {"code": "INVALID_ARGUMENT", "message": f"DATASET_INVALID: {name} was deleted"}
    return None


def specification(service: Service, job: Resource) -> dict[str, Any]:
    """job.json of the task."""
    row = service.store.get(job.body["inputDatasetId"])
    defaults = InferenceParameters.model_validate(job.body["inferenceParameters"]).fields()
    return {
        "name": job.name,
        "model": job.body["model"],
        "dataset": [str(path) for path in datasets.files_of(service, row)] if row else [],
        "defaults": defaults,
        "answered": sorted(answered_before(service, job)),
        "total": job.private["rows"],
    }


def answered_before(service: Service, job: Resource) -> set[int]:
    """Rows that the jobs which this one continues have answered."""
    rows: set[int] = set()
    seen = {job.name}
    name = job.body["continuedFromJobName"]
    while name and name not in seen and (earlier := service.store.get(name)) is not None:
        rows |= answered_rows(service, earlier)
        seen.add(name)
        name = earlier.body["continuedFromJobName"]
    return rows


def answered_rows(service: Service, job: Resource) -> set[int]:
    return {answer.row for answer in AnswerFile(jobs.job_folder(service, job)).read() if answer.ok}


def step(service: Service, job: Resource, runner: Runner) -> bool:
    """Expire what takes too long; leave a job PENDING while there is no such model."""
    folder = jobs.job_folder(service, job)
    if service.clock() - job.created > service.settings.batch_hours * 3600:
        runner.end(folder)
        if not runner.alive(folder):
            expire(service, job)
        return True
    return not job.private.get("running") and find_model(service, job.body["model"]) is None


def expire(service: Service, job: Resource) -> None:
    keep_output(service, job)
    message = f"not finished within {service.settings.batch_hours:g} hours"
    jobs.move(service, job, EXPIRED, {"code": "DEADLINE_EXCEEDED", "message": message}, running=False)


def keep_output(service: Service, job: Resource) -> None:
    """What is answered so far becomes the output dataset; nothing when nothing is."""
    folder = jobs.job_folder(service, job)
    tally = AnswerFile(folder).tally()
    if not tally.done or service.store.get(job.body["outputDatasetId"]) is not None:
        return
    with service.store.transaction():
        _publish(service, job, folder, tally.succeeded)
        _bill(service, job, tally.prompt, tally.completion)


def _publish(service: Service, job: Resource, folder: Path, rows: int) -> None:
    id_ = job.body["outputDatasetId"].rsplit("/", 1)[1]
    row = datasets.made_dataset(service, id_, job.body["displayName"], job.name)
    files = AnswerFile(folder).publish(datasets.folder_of(service, row), job.name)
    row.private |= {"files": files, "rows": rows}
    row.body["exampleCount"] = str(rows)
    service.store.insert(row)


def _bill(service: Service, job: Resource, prompt: int, completion: int) -> None:
    if target := find_model(service, job.body["model"]):
        usage.record_tokens(service, target, prompt, completion, share=HALF)


def complete(service: Service, job: Resource, result: dict[str, Any]) -> None:
    """The output dataset, the bill and the end of the job: all of it or none."""
    del result
    name = job.body["outputDatasetId"]
    if service.store.get(name) is not None:
        status = {"code": "ALREADY_EXISTS", "message": f"{name} was made by somebody else meanwhile"}
        jobs.move(service, job, jobs.FAILED, status, running=False)
        return
    folder = jobs.job_folder(service, job)
    tally = AnswerFile(folder).tally()
    with service.store.transaction():
        _publish(service, job, folder, tally.succeeded)
        _bill(service, job, tally.prompt, tally.completion)
        jobs.move(service, job, jobs.COMPLETED, running=False)


KIND = jobs.JobKind(
    COLLECTION,
    check,
    specification,
    complete,
    runner=BatchRuns,
    lane="batch",
    abandon=keep_output,
    step=step,
)
