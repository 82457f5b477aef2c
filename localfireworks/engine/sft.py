"""Supervised fine-tuning: cross-entropy on what assistants say, also on held-out rows after each epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from localfireworks.engine.chat import Rendered
from localfireworks.engine.dataset import Render, Samples, Source, carve_out, draw, open_source
from localfireworks.engine.epochs import (
    SMALLEST_BATCH,
    Facts,
    Job,
    base_of,
    batch_size,
    context,
    first_adapter,
    perplexity,
)
from localfireworks.engine.files import Folder
from localfireworks.engine.job_settings import JobError, JobSettings
from localfireworks.engine.optimizer import lora_loss
from localfireworks.engine.packing import Batch, pack, rest_length, usual_length
from localfireworks.engine.render_samples import write_samples
from localfireworks.engine.sharing import Sharing, shared
from localfireworks.engine.trainer import Trainer

SHARED_BATCH = 16  # samples a step at least where they share a beginning, which every step reads again
ROOM = 1.15  # of what a step of average rows takes after a shared beginning; a few steps need a second row
EVALUATION_SHARE = 5  # the evaluation passes of a job may cost a fifth of its token budget


def train_job(settings: JobSettings, folder: Folder) -> dict[str, Any]:
    """Train, write adapter and metrics, and give the content of result.json. JobError for faults of the
    data."""
    base = base_of(settings)
    source = open_source(settings.dataset)
    train, evaluation = read_data(settings, source, base.renderer.render, context(settings, base.config))
    write_samples(folder, source, train, base.renderer)
    trainer = Trainer(base.params, base.config, first_adapter(settings, base.config))
    return Job(settings, folder, trainer, Supervised(settings, train, evaluation)).train()


def read_data(
    settings: JobSettings, source: Source, render: Render[Rendered], length: int
) -> tuple[Samples[Rendered], Samples[Rendered]]:
    """Rows to train on and rows to measure on: checked, split, drawn under the token budget, cut to
    `length`."""
    chosen = np.arange(len(source))
    held_source, held = source, np.arange(0)
    if settings.evaluation_dataset:
        held_source = open_source(settings.evaluation_dataset, fewest=1)
        held = np.arange(len(held_source))
    elif settings.eval_carveout:
        chosen, held = carve_out(len(source), settings.seed)
    budget, step_of = settings.token_budget, partial(batch_size, settings, fewest=SHARED_BATCH)
    train = draw(source, chosen, render, length, math.ceil(budget / settings.epochs), Sharing(step_of))
    if not train.rows and train.cut_off:
        raise JobError(f"every row is longer than {length} tokens and is cut before what it teaches")
    if not train.rows:
        raise JobError("no row has an assistant message to learn from")
    passes = settings.epochs * EVALUATION_SHARE
    return train, draw(held_source, held, render, length, math.ceil(budget / passes), Sharing())


class Supervised:
    """The objective of supervised jobs."""

    loss, values = staticmethod(lora_loss), 1

    def __init__(
        self, settings: JobSettings, train: Samples[Rendered], evaluation: Samples[Rendered]
    ) -> None:
        self.samples, self.evaluation = train, evaluation
        self.length = usual_length([row.tokens - 1 for row in [*train.rows, *evaluation.rows]])
        self.shared, self.held_shared = shared(train.rows), shared(evaluation.rows)
        self.fewest = SHARED_BATCH if self.shared else SMALLEST_BATCH
        rest = train.tokens / len(train.rows) - self.shared
        self.rest = math.ceil(ROOM * rest * batch_size(settings, len(train.rows), self.fewest))

    def batches(self, rows: Sequence[Rendered]) -> list[Batch]:
        measured = rows is self.evaluation.rows
        begun = self.held_shared if measured else self.shared
        if not begun:
            return pack(rows, self.length)
        return pack(rows, rest_length(begun, begun if measured else self.rest), shared=begun)

    def weight(self, rows: Sequence[Rendered]) -> float:
        """The trained tokens: losses are means over them."""
        return float(sum(row.weights[1:].sum() for row in rows)) or 1.0

    def line(self, facts: Facts) -> dict[str, Any]:
        loss = facts.means[0]
        return {"train/loss": loss, "train/ce_loss": loss, "train/ppl": perplexity(loss)}
