"""The training of one job of any kind: its epochs, what they leave in its folder, its result.

A kind of job is an `Objective`: its samples, how they become batches, what is minimized and reported.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Protocol

import numpy as np

from localfireworks.engine import checkpoint
from localfireworks.engine.config import ModelConfig
from localfireworks.engine.dataset import Samples, T
from localfireworks.engine.files import Folder
from localfireworks.engine.job_settings import JobError, JobSettings
from localfireworks.engine.lora import init_lora, load_adapter, rank_of, save_adapter
from localfireworks.engine.optimizer import Loss
from localfireworks.engine.schedule import schedule
from localfireworks.engine.trainer import Step, Trainer
from localfireworks.engine.weights import Base, load_base

Tree = dict[str, Any]
LARGEST_BATCH, SMALLEST_BATCH, STEPS_AN_EPOCH = 32, 4, 50


@dataclasses.dataclass
class Run:
    """How far a job is: epochs done, steps done, tokens seen, and the last losses (None: none yet)."""

    epoch: int = 0
    step: int = 0
    tokens: int = 0
    metrics_size: int = 0
    train_loss: float | None = None
    eval_loss: float | None = None


class Facts(NamedTuple):
    """A step as an objective reports it; `epoch` counts from 0, `tokens` are those of the step."""

    means: list[float]
    seconds: float
    epoch: int
    tokens: int


class Objective(Protocol[T]):
    """What differs between kinds of job. `loss` measures `values` sums."""

    @property
    def samples(self) -> Samples[T]: ...

    @property
    def evaluation(self) -> Samples[T]:
        """Rows that are measured after each epoch and never trained on."""
        ...

    @property
    def fewest(self) -> int:
        """Samples of a step at least, where nobody said how many."""
        ...

    @property
    def loss(self) -> Loss: ...

    @property
    def values(self) -> int: ...

    def batches(self, rows: Sequence[T]) -> Sequence[Any]: ...

    def weight(self, rows: Sequence[T]) -> float:
        """What the sums over these rows are divided by."""
        ...

    def line(self, facts: Facts) -> dict[str, Any]:
        """The metrics of a step that only this kind has."""
        ...


def base_of(settings: JobSettings) -> Base:
    """The model to tune; JobError when it cannot be loaded."""
    try:
        return load_base(settings.standin, settings.compute)
    except ValueError as error:
        raise JobError(str(error), "MODEL_INVALID", "FAILED_PRECONDITION") from None


def first_adapter(settings: JobSettings, config: ModelConfig) -> Tree:
    if settings.adapter is None:
        return init_lora(config, settings.lora_rank, settings.seed)
    try:
        adapter = load_adapter(settings.adapter, config)
    except ValueError as error:
        raise JobError(str(error), "WARM_START_INVALID") from None
    if rank_of(adapter) != settings.lora_rank:
        ranks = f"rank {rank_of(adapter)}, the job asks for {settings.lora_rank}"
        message = f"warmStartFrom has {ranks}: use the same rank"
        raise JobError(message, "WARM_START_INVALID")
    return adapter


def context(settings: JobSettings, config: ModelConfig) -> int:
    """Tokens of a row, at most."""
    window = config.max_position_embeddings
    return min(settings.max_context_length or window, window)


def batch_size(settings: JobSettings, rows: int, fewest: int = SMALLEST_BATCH) -> int:
    """Samples a step: as asked; else the power of two, `fewest` to 32, that gives some fifty an epoch."""
    if settings.batch_size_samples:
        return min(settings.batch_size_samples, rows)
    wanted = max(rows // STEPS_AN_EPOCH, fewest)
    return min(LARGEST_BATCH, 1 << (wanted.bit_length() - 1), rows)


class Job(Generic[T]):
    """The epochs of one job and what they leave in its folder."""

    def __init__(
        self, settings: JobSettings, folder: Folder, trainer: Trainer, objective: Objective[T]
    ) -> None:
        self.settings, self.folder, self.trainer, self.objective = settings, folder, trainer, objective
        self.rows = objective.samples.rows
        self.size = batch_size(settings, len(self.rows), objective.fewest)
        self.factor = schedule(
            settings.scheduler,
            math.ceil(len(self.rows) / self.size) * settings.epochs,
            settings.warmup_steps,
            settings.min_lr_ratio,
            settings.decay_ratio,
        )
        self.run = Run()
        self.started = time.monotonic()
        self.tokens_before = 0

    def train(self) -> dict[str, Any]:
        """All epochs that are not done yet, with a checkpoint after each; then the adapter. Gives the content
        of result.json."""
        self.resume()
        while self.run.epoch < self.settings.epochs:
            self.epoch()
            facts = dataclasses.asdict(self.run)
            self.folder.replace(self.folder.checkpoint, checkpoint.pack(facts, self.trainer.state()))
        self.folder.progress(self.progress("writing"))
        save_adapter(self.folder.adapter, self.trainer.adapter(), self.settings.standin)
        self.folder.checkpoint.unlink(missing_ok=True)
        return self.result()

    def resume(self) -> None:
        """Go on where an earlier process was, if there was one."""
        saved = checkpoint.read(self.folder.checkpoint, self.trainer.state())
        if saved is not None:
            facts, state = saved
            self.run = Run(**facts)
            self.trainer.restore(state)
        self.tokens_before = self.run.tokens
        self.folder.cut_metrics(self.run.metrics_size)
        self.folder.progress(self.progress("running"))

    def epoch(self) -> None:
        """One pass over the rows in an order of its own, then the evaluation."""
        order = np.random.default_rng([self.settings.seed, self.run.epoch]).permutation(len(self.rows))
        for start in range(0, len(order), self.size):
            self.step([self.rows[index] for index in order[start : start + self.size]])
        self.run.epoch += 1
        if rows := self.objective.evaluation.rows:
            weight = self.objective.weight(rows)
            loss = self.trainer.measure(self.objective.batches(rows), self.objective.loss, weight)[0]
            self.run.eval_loss = loss
            line = {"step": self.run.step, "eval/loss": loss, "eval/ppl": perplexity(loss)}
            self.run.metrics_size = self.folder.add_metrics(line)
        self.folder.progress(self.progress("running"))

    def step(self, rows: Sequence[T]) -> None:
        rate = self.settings.learning_rate * self.factor(self.run.step)
        objective, tokens = self.objective, sum(row.tokens for row in rows)
        done = self.trainer.step(
            objective.batches(rows),
            objective.loss,
            objective.values,
            objective.weight(rows),
            (rate, self.settings.weight_decay),
        )
        self.run.step += 1
        self.run.tokens += tokens
        self.run.train_loss = done.means[0]
        facts = Facts(done.means, done.gradient_seconds + done.update_seconds, self.run.epoch, tokens)
        line = self.common_line(done, rate) | objective.line(facts)
        self.run.metrics_size = self.folder.add_metrics(line)
        self.folder.progress(self.progress("running"), now=False)

    def common_line(self, done: Step, rate: float) -> dict[str, Any]:
        """The metrics of a step that every kind has."""
        seen = self.run.tokens - self.tokens_before
        return {
            "step": self.run.step,
            "train/step": self.run.step,
            "train/lr": rate,
            "train/grad_norm": done.gradient_norm,
            "train/total_tokens": self.run.tokens,
            "train/tokens_per_sec": seen / (time.monotonic() - self.started),
            "perf/fwd_bwd_time": done.gradient_seconds,
            "perf/optim_step_time": done.update_seconds,
        }

    def progress(self, phase: str) -> dict[str, Any]:
        samples = self.objective.samples
        planned = samples.tokens * self.settings.epochs
        return {
            "phase": phase,
            "percent": min(100, 100 * self.run.tokens // planned),
            "epoch": min(self.run.epoch, self.settings.epochs - 1),
            "input_tokens": self.run.tokens,
            "total_tokens": planned,
            "rows_used": len(samples.rows),
            "rows_total": samples.total,
            "rows_cut_off": samples.cut_off,
        }

    def result(self) -> dict[str, Any]:
        samples, evaluation = self.objective.samples, self.objective.evaluation
        return {
            "ok": True,
            "tokens": self.run.tokens,
            "final_train_loss": self.run.train_loss,
            "final_eval_loss": self.run.eval_loss,
            "steps": self.run.step,
            "batch_size_samples": self.size,
            "rows_used": len(samples.rows),
            "rows_total": samples.total,
            "rows_skipped": samples.skipped,
            "rows_cut_off": samples.cut_off,
            "evaluation_rows_used": len(evaluation.rows),
            "evaluation_rows_total": evaluation.total,
            "token_budget": self.settings.token_budget,
            "seed": self.settings.seed,
        }


def perplexity(loss: float) -> float:
    return math.exp(min(loss, 700.0))
