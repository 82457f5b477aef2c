"""Supervised fine-tuning jobs as the supervisor runs them."""

from __future__ import annotations

from typing import Any

from localfireworks import jobs, training_work
from localfireworks.service import Service
from localfireworks.store import Resource

COLLECTION = "supervisedFineTuningJobs"


def specification(service: Service, job: Resource) -> dict[str, Any]:
    """job.json of the training process."""
    body = job.body
    return training_work.specification(service, job) | {
        "kind": "sft",
        "evaluation_dataset": training_work.paths(service, body["evaluationDataset"]) or None,
        "eval_carveout": body["evalAutoCarveout"] and not body["evaluationDataset"],
    }


def complete(service: Service, job: Resource, result: dict[str, Any]) -> None:
    training_work.complete(service, job, result, "sft")


KIND = jobs.JobKind(COLLECTION, training_work.check, specification, complete)
