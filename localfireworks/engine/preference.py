"""Preference learning: DPO against a frozen reference, or ORPO without one, on pairs of answers."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from localfireworks.engine import checkpoint
from localfireworks.engine.dataset import Samples, draw, open_source
from localfireworks.engine.epochs import SMALLEST_BATCH, Facts, Job, base_of, context, first_adapter
from localfireworks.engine.files import Folder
from localfireworks.engine.job_settings import JobError, JobSettings
from localfireworks.engine.losses import Dpo, Orpo, answer_chances
from localfireworks.engine.packing import PairBatch, lay_out_pairs, pack_pairs, plan_pairs, usual_length
from localfireworks.engine.pairs import Pair, pair_fault, render_pairs
from localfireworks.engine.trainer import Trainer
from localfireworks.engine.weights import Base


def train_job(settings: JobSettings, folder: Folder) -> dict[str, Any]:
    """Train, write adapter and metrics, and give the content of result.json. JobError for faults of the
    data."""
    base = base_of(settings)
    samples = read_pairs(settings, base)
    trainer = Trainer(base.params, base.config, first_adapter(settings, base.config))
    if settings.method == "ORPO":
        return Job(settings, folder, trainer, Preference(samples, Orpo(settings.orpo_lambda))).train()
    rows = with_reference(samples.rows, trainer, folder)
    objective = Preference(dataclasses.replace(samples, rows=rows), Dpo(settings.beta))
    return Job(settings, folder, trainer, objective).train()


def read_pairs(settings: JobSettings, base: Base) -> Samples[Pair]:
    """The pairs of a job: checked, drawn under the token budget, cut to the context."""
    source = open_source(settings.dataset, pair_fault)
    limit = math.ceil(settings.token_budget / settings.epochs)
    render = functools.partial(render_pairs, base.renderer.render)
    samples = draw(source, np.arange(len(source)), render, context(settings, base.config), limit)
    if not samples.rows:
        raise JobError("no pair has room for its answers: the prompts fill the context")
    return samples


def pair_length(pairs: Sequence[Pair]) -> int:
    """Row length for these pairs."""
    return usual_length([max(pair.preferred.tokens, pair.other.tokens) - 1 for pair in pairs])


def with_reference(pairs: Sequence[Pair], trainer: Trainer, folder: Folder) -> list[Pair]:
    """Pairs with what the untrained policy makes of their answers: computed once, kept in the folder."""
    path = folder.path / "reference.npz"
    saved = checkpoint.read(path, np.zeros(()))
    if saved is None:
        chances = reference_chances(pairs, trainer)
        folder.replace(path, checkpoint.pack({}, chances))
    else:
        chances = saved[1]
    return [
        dataclasses.replace(pair, reference=(float(preferred), float(other)))
        for pair, (preferred, other) in zip(pairs, chances, strict=True)
    ]


def reference_chances(pairs: Sequence[Pair], trainer: Trainer) -> np.ndarray:
    """Log probabilities [pairs, 2] of both answers under the policy as it is now."""
    chances = np.zeros((len(pairs), 2), np.float32)
    for rows, count, size in plan_pairs(pairs, pair_length(pairs)):
        batch = lay_out_pairs([[pairs[index] for index in row] for row in rows], count, size)
        found = trainer.look(batch, answer_chances)
        for number, row in enumerate(rows):
            chances[row] = found[number, : len(row)]
    return chances


class Preference:
    """The objective of preference jobs."""

    fewest = SMALLEST_BATCH

    def __init__(self, samples: Samples[Pair], loss: Dpo | Orpo) -> None:
        self.samples, self.loss, self.values = samples, loss, len(loss.measured)
        self.evaluation: Samples[Pair] = Samples([], [], 0)  # a preference job has no evaluation dataset
        self.length = pair_length(samples.rows)

    def batches(self, rows: Sequence[Pair]) -> list[PairBatch]:
        return pack_pairs(rows, self.length)

    def weight(self, rows: Sequence[Pair]) -> float:
        return float(len(rows))

    def line(self, facts: Facts) -> dict[str, Any]:
        """Means over the pairs of the step; the reference reads each pair once, for the first epoch."""
        values = dict(zip(self.loss.measured, facts.means, strict=True))
        line: dict[str, Any] = {f"train/{name}": value for name, value in values.items()}
        if isinstance(self.loss, Dpo):
            line["train/loss"] = values["dpo_loss"]
            line["train/ref_tokens"] = 0 if facts.epoch else facts.tokens
        return line | {
            "train/epoch": facts.epoch + 1,
            "train/step_tokens": facts.tokens,
            "train/step_time_sec": facts.seconds,
        }
