"""Batch inference jobs: many prompts answered from one dataset into another. Source: facts sheet 7.2.

Half the serverless price, no deployment of ours, any order: answers are matched by `custom_id`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .client import Fireworks
from .creating import create_once
from .fields import Status, given, mapping, moment, text
from .job_calls import JobCalls
from .job_states import EXPIRED, JobState, Progress
from .names import full_name
from .wire import Json

COLLECTION = "batchInferenceJobs"


@dataclass(frozen=True, slots=True)
class Batch:
    """What to answer. Names are full; the job makes `output_dataset`, which must not exist.

    `extra` are further fields of every request (`seed`, `reasoning_effort`, …). With `continued_from`, the
    full name of an EXPIRED job, only what that job left open is answered.
    """

    model: str
    input_dataset: str
    output_dataset: str
    max_tokens: int | None = None
    temperature: float | None = 0.0
    top_p: float | None = None
    top_k: int | None = None
    choices: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    continued_from: str = ""
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class BatchJob(JobState):
    """A job as Fireworks shows it; `raw` keeps every field."""

    name: str
    state: str
    model: str = ""
    input_dataset: str = ""
    output_dataset: str = ""
    progress: Progress = field(default_factory=Progress)
    status: Status = field(default_factory=Status)
    created: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def expired(self) -> bool:
        """Whether time ran out: the output is partial, and another job can go on from it."""
        return self.state == EXPIRED


def batch_body(wanted: Batch) -> Json:
    """The flat create body. `extraBody` travels as a JSON string."""
    extra = {"context_length_exceeded_behavior": "error", **wanted.extra}
    parameters = {
        "maxTokens": wanted.max_tokens,
        "temperature": wanted.temperature,
        "topP": wanted.top_p,
        "topK": wanted.top_k,
        "n": wanted.choices,
        "extraBody": json.dumps(extra, sort_keys=True, ensure_ascii=False, allow_nan=False),
    }
    body = {
        "model": wanted.model,
        "inputDatasetId": wanted.input_dataset,
        "outputDatasetId": wanted.output_dataset,
        "inferenceParameters": given(parameters),
        "continuedFromJobName": wanted.continued_from,
        "displayName": wanted.display_name[:63],
    }
    return given(body)


def parse(raw: Mapping[str, Any]) -> BatchJob:
    """A job from its JSON."""
    return BatchJob(
        name=text(raw, "name"),
        state=text(raw, "state"),
        model=text(raw, "model"),
        input_dataset=text(raw, "inputDatasetId"),
        output_dataset=text(raw, "outputDatasetId"),
        progress=Progress.of(mapping(raw, "jobProgress")),
        status=Status.of(raw),
        created=moment(raw, "createTime"),
        raw=raw,
    )


def create(fireworks: Fireworks, identifier: str, wanted: Batch) -> BatchJob:
    """Start the job under our id, or adopt our own earlier one. Raises `Conflict`, `NeedsPerson`, …"""
    body, path = batch_body(wanted), fireworks.path(COLLECTION)
    found, _ = create_once(
        full_name(fireworks.account, COLLECTION, identifier),
        body,
        ("model", "inputDatasetId"),
        lambda: fireworks.call("POST", path, query={"batchInferenceJobId": identifier}, body=body).json,
        lambda: fireworks.get(f"{path}/{identifier}"),
        fireworks.retries,
    )
    return parse(found)


_CALLS = JobCalls(COLLECTION, parse)
get, list_all = _CALLS.get, _CALLS.list_all
