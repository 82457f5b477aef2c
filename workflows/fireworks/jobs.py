"""Supervised fine-tuning jobs. Source: facts sheet 4. The body is flat; the id goes into the query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .client import Fireworks
from .creating import create_once
from .fields import Status, flag, given, integer, mapping, moment, number, text
from .job_calls import JobCalls
from .job_states import JobState, Progress
from .money import Money
from .names import full_name
from .wire import Json

COLLECTION = "supervisedFineTuningJobs"
RANKS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Training:
    """What one training run is. `dataset` and `base_model` are full names; `learning_rate` is exact text.

    Exactly one of `base_model` and `warm_start_from` is set.
    """

    dataset: str
    output_model: str
    base_model: str = ""
    warm_start_from: str = ""
    evaluation_dataset: str = ""
    epochs: int = 1
    learning_rate: float | None = None
    lora_rank: int = 8
    max_context_length: int | None = None
    batch_size_samples: int | None = None
    warmup_steps: int | None = None
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Job(JobState):
    """A job as Fireworks shows it; `raw` keeps every field, also states that we do not know."""

    name: str
    state: str
    base_model: str = ""
    dataset: str = ""
    evaluation_dataset: str = ""
    output_model: str = ""
    epochs: int | None = None
    learning_rate: float | None = None
    lora_rank: int | None = None
    eval_auto_carveout: bool | None = None
    progress: Progress = field(default_factory=Progress)
    estimated_cost: Money | None = None
    metrics_url: str = field(default="", repr=False)
    status: Status = field(default_factory=Status)
    created: datetime | None = None
    completed: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def check_training(base_model: str, warm_start_from: str, lora_rank: int, epochs: int) -> None:
    """Raise ValueError for what the API refuses in any tuning job (facts sheet 4.1)."""
    if bool(base_model) == bool(warm_start_from):
        raise ValueError("exactly one of base model and warm start must be given")
    if lora_rank not in RANKS:
        raise ValueError(f"LoRA rank {lora_rank} is not one of {', '.join(map(str, RANKS))}")
    if epochs < 1:
        raise ValueError(f"epochs must be 1 or more, not {epochs}")


def training_body(training: Training) -> Json:
    """The flat create body. Without an evaluation dataset the automatic carve-out is switched off.

    Raises ValueError for what the API documents as refused (rank, epochs, two starting points).
    """
    check_training(training.base_model, training.warm_start_from, training.lora_rank, training.epochs)
    body: Json = {
        "dataset": training.dataset,
        "outputModel": training.output_model,
        "epochs": training.epochs,
        "loraRank": training.lora_rank,
        "evalAutoCarveout": False,
    }
    optional = {
        "baseModel": training.base_model,
        "warmStartFrom": training.warm_start_from,
        "evaluationDataset": training.evaluation_dataset,
        "learningRate": training.learning_rate,
        "maxContextLength": training.max_context_length,
        "batchSizeSamples": training.batch_size_samples,
        "learningRateWarmupSteps": training.warmup_steps,
        "displayName": training.display_name[:63],
    }
    return body | given(optional)


def parse(raw: Mapping[str, Any]) -> Job:
    """A job from its JSON."""
    return Job(
        name=text(raw, "name"),
        state=text(raw, "state"),
        base_model=text(raw, "baseModel"),
        dataset=text(raw, "dataset"),
        evaluation_dataset=text(raw, "evaluationDataset"),
        output_model=text(raw, "outputModel"),
        epochs=integer(raw, "epochs"),
        learning_rate=number(raw.get("learningRate")),
        lora_rank=integer(raw, "loraRank"),
        eval_auto_carveout=flag(raw, "evalAutoCarveout"),
        progress=Progress.of(mapping(raw, "jobProgress")),
        estimated_cost=Money.from_api(raw.get("estimatedCost")),
        metrics_url=text(raw, "metricsFileSignedUrl"),
        status=Status.of(raw),
        created=moment(raw, "createTime"),
        completed=moment(raw, "completedTime"),
        raw=raw,
    )


def create(fireworks: Fireworks, identifier: str, training: Training) -> Job:
    """Start the job under our id, or adopt our own earlier one. Raises `Conflict`, `NeedsPerson`, …"""
    body, path = training_body(training), fireworks.path(COLLECTION)
    found, _ = create_once(
        full_name(fireworks.account, COLLECTION, identifier),
        body,
        ("dataset", "baseModel" if training.base_model else "warmStartFrom"),
        lambda: fireworks.call("POST", path, query={"supervisedFineTuningJobId": identifier}, body=body).json,
        lambda: fireworks.get(f"{path}/{identifier}"),
        fireworks.retries,
    )
    return parse(found)


_CALLS = JobCalls(COLLECTION, parse)
get, list_all, cancel, resume = _CALLS.get, _CALLS.list_all, _CALLS.cancel, _CALLS.resume


def estimate_cost(fireworks: Fireworks, training: Training) -> Money | None:
    """The provider's own estimate for a run; None when it gives none. Creates nothing."""
    path = f"{fireworks.path(COLLECTION)}:estimateCost"
    return Money.from_api(
        fireworks.call("POST", path, body=training_body(training)).json.get("estimatedCost")
    )
