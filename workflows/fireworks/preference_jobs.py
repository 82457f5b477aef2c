"""Preference tuning jobs, DPO and ORPO. Source: facts sheet 5. Training settings are nested, unlike SFT's.

A job shows no progress, no cost and no evaluation set: what is known of its course stands in its metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .client import Fireworks
from .creating import create_once
from .fields import Status, given, integer, mapping, moment, number, text
from .job_calls import JobCalls
from .job_states import JobState
from .jobs import check_training
from .names import full_name
from .wire import Json

COLLECTION = "dpoJobs"
DPO, ORPO = "DPO", "ORPO"
LARGEST_BETA = 0.5


@dataclass(frozen=True, slots=True)
class Preference:
    """What one preference run is. Names are full; exactly one of `base_model` and `warm_start_from` is set.

    `beta` (DPO only) lies strictly between 0 and 0.5; `odds_weight` is ORPO's lambda. None leaves either
    to the provider.
    """

    dataset: str
    output_model: str
    method: str = DPO
    base_model: str = ""
    warm_start_from: str = ""
    beta: float | None = None
    odds_weight: float | None = None
    epochs: int = 1
    learning_rate: float | None = None
    lora_rank: int = 8
    max_context_length: int | None = None
    batch_size_samples: int | None = None
    warmup_steps: int | None = None
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class PreferenceJob(JobState):
    """A job as Fireworks shows it; `raw` keeps every field."""

    name: str
    state: str
    dataset: str = ""
    method: str = ""
    base_model: str = ""
    warm_start_from: str = ""
    output_model: str = ""
    beta: float | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    lora_rank: int | None = None
    status: Status = field(default_factory=Status)
    created: datetime | None = None
    completed: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def preference_body(wanted: Preference) -> Json:
    """The create body; the method is always said, because what the default is, is contradictory.

    Raises ValueError for what the API documents as refused.
    """
    check_training(wanted.base_model, wanted.warm_start_from, wanted.lora_rank, wanted.epochs)
    training = {
        "baseModel": wanted.base_model,
        "warmStartFrom": wanted.warm_start_from,
        "outputModel": wanted.output_model,
        "epochs": wanted.epochs,
        "loraRank": wanted.lora_rank,
        "learningRate": wanted.learning_rate,
        "maxContextLength": wanted.max_context_length,
        "batchSizeSamples": wanted.batch_size_samples,
        "learningRateWarmupSteps": wanted.warmup_steps,
    }
    body: Json = {"dataset": wanted.dataset, "lossConfig": _loss(wanted), "trainingConfig": given(training)}
    return body | given({"displayName": wanted.display_name[:63]})


def _loss(wanted: Preference) -> Json:
    if wanted.method not in (DPO, ORPO):
        raise ValueError(f"the method is {DPO} or {ORPO}, not {wanted.method}")
    other = wanted.odds_weight if wanted.method == DPO else wanted.beta
    if other is not None:
        raise ValueError(f"beta belongs to {DPO} and lambda to {ORPO}: {wanted.method} takes only its own")
    if wanted.beta is not None and not 0 < wanted.beta < LARGEST_BETA:
        raise ValueError(f"beta must lie between 0 and {LARGEST_BETA}, not be {wanted.beta:g}")
    own = {"beta": wanted.beta} if wanted.method == DPO else {"lambda": wanted.odds_weight}
    return {"method": wanted.method} | ({wanted.method.lower(): own} if given(own) else {})


def parse(raw: Mapping[str, Any]) -> PreferenceJob:
    """A job from its JSON."""
    training, loss = mapping(raw, "trainingConfig"), mapping(raw, "lossConfig")
    return PreferenceJob(
        name=text(raw, "name"),
        state=text(raw, "state"),
        dataset=text(raw, "dataset"),
        method=text(loss, "method"),
        base_model=text(training, "baseModel"),
        warm_start_from=text(training, "warmStartFrom"),
        output_model=text(training, "outputModel"),
        beta=number(mapping(loss, "dpo").get("beta")),
        epochs=integer(training, "epochs"),
        learning_rate=number(training.get("learningRate")),
        lora_rank=integer(training, "loraRank"),
        status=Status.of(raw),
        created=moment(raw, "createTime"),
        completed=moment(raw, "completedTime"),
        raw=raw,
    )


def create(fireworks: Fireworks, identifier: str, wanted: Preference) -> PreferenceJob:
    """Start the job under our id, or adopt our own earlier one. Raises `Conflict`, `NeedsPerson`, …"""
    body, path = preference_body(wanted), fireworks.path(COLLECTION)
    start = "baseModel" if wanted.base_model else "warmStartFrom"
    found, _ = create_once(
        full_name(fireworks.account, COLLECTION, identifier),
        body,
        ("dataset", f"trainingConfig.{start}"),
        lambda: fireworks.call("POST", path, query={"dpoJobId": identifier}, body=body).json,
        lambda: fireworks.get(f"{path}/{identifier}"),
        fireworks.retries,
    )
    return parse(found)


_CALLS = JobCalls(COLLECTION, parse)
get, list_all, cancel, resume = _CALLS.get, _CALLS.list_all, _CALLS.cancel, _CALLS.resume


def metrics_url(fireworks: Fireworks, name: str) -> str:
    """A fresh signed URL of the metrics file, for `metrics_file.fetch`; "" while there is none."""
    return text(fireworks.get(fireworks.path(COLLECTION, name, "getMetricsFileEndpoint")), "signedUrl")
