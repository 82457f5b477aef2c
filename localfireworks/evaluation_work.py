"""Evaluation jobs as the supervisor runs them: a process each, with the evaluator in a sandbox below it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from localfireworks import datasets, evaluator_builds, jobs
from localfireworks.evaluator_fields import entries_of
from localfireworks.jobs import Runner
from localfireworks.service import Service
from localfireworks.store import Resource

COLLECTION = "evaluationJobs"
RESULTS = "results.jsonl"


class Evaluations:
    """The job processes of the server, with the program that evaluates."""

    def __init__(self, service: Service) -> None:
        self._processes = service.processes

    def start(self, folder: Path) -> bool:
        return self._processes.start(folder, evaluator_builds.COMMAND)

    def alive(self, folder: Path) -> bool:
        return self._processes.alive(folder)

    def end(self, folder: Path, *, force: bool = False) -> None:
        self._processes.end(folder, force=force)


def runner(service: Service) -> Runner:
    return Evaluations(service)


def check(service: Service, job: Resource) -> dict[str, str] | None:
    """VALIDATING: what the job needs must still be there."""
    for field in ("evaluator", "inputDataset"):
        if service.store.get(job.body[field]) is None:
            return {"code": "INVALID_ARGUMENT", "message": f"{job.body[field]} was deleted"}
    return None


def specification(service: Service, job: Resource) -> dict[str, Any]:
    """job.json of the process. The code is the build that was ACTIVE when the job was made."""
    row, evaluator = (service.store.get(job.body[field]) for field in ("inputDataset", "evaluator"))
    return {
        "kind": "evaluation",
        "source": job.private["source"],
        "entries": entries_of(evaluator.body) if evaluator else [],
        "unconfined": service.settings.unconfined_evaluators,
        "dataset": [str(path) for path in datasets.files_of(service, row)] if row else [],
    }


def complete(service: Service, job: Resource, result: dict[str, Any]) -> None:
    """The output dataset, the figures and the end of the job: all of it or none."""
    name = job.body["outputDataset"]
    if service.store.get(name) is not None:
        status = {"code": "ALREADY_EXISTS", "message": f"{name} was made by somebody else meanwhile"}
        jobs.move(service, job, jobs.FAILED, status, running=False)
        return
    job.body["metrics"] = result["metrics"]
    job.body["outputStats"] = json.dumps(result["stats"])
    origin = {"evaluationResult": {"evaluationJobId": job.name}}
    row = datasets.made_dataset(service, name.rsplit("/", 1)[1], job.body["displayName"], job.name, origin)
    target = datasets.folder_of(service, row) / RESULTS
    shutil.copyfile(jobs.job_folder(service, job) / RESULTS, target)
    row.private |= {"files": {RESULTS: target.stat().st_size}, "rows": result["rows"]}
    row.body["exampleCount"] = str(result["rows"])
    with service.store.transaction():
        service.store.insert(row)
        jobs.move(service, job, jobs.COMPLETED, running=False)


KIND = jobs.JobKind(COLLECTION, check, specification, complete, runner=runner, lane="evaluation")
