"""Evaluation jobs: an evaluator scores the rows of a dataset into another. Source: facts sheet 8.

The rows must hold the answers already: such a job asks no model. There is no way to cancel one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .client import Fireworks
from .creating import create_once
from .fields import Status, given, mapping, moment, number, text
from .job_calls import JobCalls
from .job_states import JobState
from .names import full_name
from .wire import Json

COLLECTION = "evaluationJobs"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What to score. All three names are full; the job makes `output_dataset`, which must not exist."""

    evaluator: str
    input_dataset: str
    output_dataset: str
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationJob(JobState):
    """A job as Fireworks shows it; `metrics` are finite numbers by name, `raw` keeps every field."""

    name: str
    state: str
    evaluator: str = ""
    input_dataset: str = ""
    output_dataset: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    status: Status = field(default_factory=Status)
    created: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def evaluation_body(identifier: str, wanted: Evaluation) -> Json:
    """Body of a create: the resource is wrapped."""
    job = {
        "evaluator": wanted.evaluator,
        "inputDataset": wanted.input_dataset,
        "outputDataset": wanted.output_dataset,
        "displayName": wanted.display_name[:63],
    }
    return {"evaluationJob": given(job), "evaluationJobId": identifier}


def parse(raw: Mapping[str, Any]) -> EvaluationJob:
    """A job from its JSON; a metric that is not a finite number is left out."""
    values = {str(name): number(value) for name, value in mapping(raw, "metrics").items()}
    return EvaluationJob(
        name=text(raw, "name"),
        state=text(raw, "state"),
        evaluator=text(raw, "evaluator"),
        input_dataset=text(raw, "inputDataset"),
        output_dataset=text(raw, "outputDataset"),
        metrics={name: value for name, value in values.items() if value is not None},
        status=Status.of(raw),
        created=moment(raw, "createTime"),
        raw=raw,
    )


def create(fireworks: Fireworks, identifier: str, wanted: Evaluation) -> EvaluationJob:
    """Start the job under our id, or adopt our own earlier one. Raises `Conflict`, `NeedsPerson`, …"""
    body, path = evaluation_body(identifier, wanted), fireworks.path(COLLECTION)
    found, _ = create_once(
        full_name(fireworks.account, COLLECTION, identifier),
        body["evaluationJob"],
        ("evaluator", "inputDataset"),
        lambda: fireworks.call("POST", path, body=body).json,
        lambda: fireworks.get(f"{path}/{identifier}"),
        fireworks.retries,
    )
    return parse(found)


_CALLS = JobCalls(COLLECTION, parse)
get, list_all = _CALLS.get, _CALLS.list_all


def log_url(fireworks: Fireworks, name: str) -> str:
    """A signed URL of what the evaluator printed; "" while there is none."""
    path = fireworks.path(COLLECTION, name, "getExecutionLogEndpoint")
    return text(fireworks.get(path), "executionLogSignedUri")
