"""What the page at `/` shows of batches, evaluators and evaluations."""

from __future__ import annotations

from localfireworks import batch_work, evaluation_work, evaluator_builds
from localfireworks.batch_jobs import job_progress
from localfireworks.job_calls import progress_of
from localfireworks.page_parts import section, table
from localfireworks.service import Service
from localfireworks.store import Resource

SHOWN = 50


def _newest(service: Service, collection: str) -> list[Resource]:
    return service.store.page(collection, service.account, order="createTime desc", limit=SHOWN)


def _state(job: Resource) -> str:
    return job.state.removeprefix("JOB_STATE_")


def batch_rows(service: Service) -> list[list[str]]:
    rows = []
    for job in _newest(service, batch_work.COLLECTION):
        seen = job_progress(job, progress_of(service, job))
        done = f"{seen['totalProcessedRequests']:,} of {seen['totalInputRequests']:,}"
        rows.append([job.id, job.body["model"], _state(job), done, f"{seen['failedRequests']:,}"])
    return rows


def evaluator_rows(service: Service) -> list[list[str]]:
    return [
        [row.id, row.body["displayName"], row.state, row.body["status"]["message"]]
        for row in _newest(service, evaluator_builds.COLLECTION)
    ]


def evaluation_rows(service: Service) -> list[list[str]]:
    rows = []
    for job in _newest(service, evaluation_work.COLLECTION):
        score = job.body["metrics"].get("score")
        shown = "-" if score is None else f"{score:.3f}"
        rows.append([job.id, job.body["evaluator"], job.body["inputDataset"], _state(job), shown])
    return rows


def evaluation_section(service: Service, id_: str, title: str) -> str:
    return section(
        id_,
        title,
        table(["Batch", "Model", "State", "Answered", "Failed"], batch_rows(service), "No batch yet."),
        table(["Evaluator", "Title", "State", "Fault"], evaluator_rows(service), "No evaluator yet."),
        table(
            ["Evaluation", "Evaluator", "Rows of", "State", "Score"],
            evaluation_rows(service),
            "No evaluation yet.",
        ),
    )
