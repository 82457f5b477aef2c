"""Preference jobs as the supervisor runs them."""

from __future__ import annotations

from typing import Any

from localfireworks import jobs, training_work
from localfireworks.service import Service
from localfireworks.store import Resource

COLLECTION = "dpoJobs"


def specification(service: Service, job: Resource) -> dict[str, Any]:
    """job.json of the training process."""
    loss = job.body["lossConfig"]
    parameter = (
        {"orpo_lambda": loss["orpo"]["lambda"]} if loss["method"] == "ORPO" else {"beta": loss["dpo"]["beta"]}
    )
    own = {"kind": "dpo", "method": loss["method"], **parameter}
    return training_work.specification(service, job) | own


def complete(service: Service, job: Resource, result: dict[str, Any]) -> None:
    training_work.complete(service, job, result, "dpo")


KIND = jobs.JobKind(COLLECTION, training_work.check, specification, complete)
