"""Supervised fine-tuning with LoRA: one job from checked data to adapter, resumable at every epoch."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np

from localfireworks.engine import checkpoint
from localfireworks.engine.chat import Rendered, Renderer
from localfireworks.engine.config import ModelConfig
from localfireworks.engine.dataset import Samples, carve_out, draw, open_source
from localfireworks.engine.files import Folder
from localfireworks.engine.job_settings import JobError, JobSettings
from localfireworks.engine.lora import init_lora, load_adapter, rank_of, save_adapter
from localfireworks.engine.packing import usual_length
from localfireworks.engine.schedule import schedule
from localfireworks.engine.tokens import load_tokenizer
from localfireworks.engine.trainer import Trainer
from localfireworks.engine.weights import load_standin

Tree = dict[str, Any]
EVALUATION_SHARE = 5  # the evaluation passes of a job may cost a fifth of its token budget
LARGEST_BATCH, SMALLEST_BATCH, STEPS_AN_EPOCH = 32, 4, 50


@dataclasses.dataclass(frozen=True)
class Data:
    """Rows to train on and rows to measure on."""

    train: Samples
    evaluation: Samples


@dataclasses.dataclass
class Run:
    """How far a job is: epochs done, steps done, tokens seen, and the last losses (None: none yet)."""

    epoch: int = 0
    step: int = 0
    tokens: int = 0
    metrics_size: int = 0
    train_loss: float | None = None
    eval_loss: float | None = None


def train_job(settings: JobSettings, folder: Folder) -> dict[str, Any]:
    """Train, write adapter and metrics, and give the content of result.json. JobError for faults of the
    data."""
    params, config = load_standin(settings.standin)
    renderer = Renderer(load_tokenizer())
    data = read_data(settings, config, renderer)
    adapter = first_adapter(settings, config)
    job = Job(settings, folder, data, Trainer(params, config, adapter, row_size(data)))
    job.train()
    folder.progress(job.progress("writing"))
    save_adapter(folder.adapter, job.trainer.adapter(), settings.standin)
    folder.checkpoint.unlink(missing_ok=True)
    return job.result()


def read_data(settings: JobSettings, config: ModelConfig, renderer: Renderer) -> Data:
    """The rows of a job: checked, split, drawn under the token budget, cut to the context."""
    length = min(
        settings.max_context_length or config.max_position_embeddings, config.max_position_embeddings
    )
    source = open_source(settings.dataset)
    chosen = np.arange(len(source))
    held_source, held = source, np.arange(0)
    if settings.evaluation_dataset:
        held_source = open_source(settings.evaluation_dataset)
        held = np.arange(len(held_source))
    elif settings.eval_carveout:
        chosen, held = carve_out(len(source), settings.seed)
    budget = settings.token_budget
    train = draw(source, chosen, renderer, length, math.ceil(budget / settings.epochs))
    if not train.rows:
        raise JobError("no row has an assistant message to learn from")
    passes = settings.epochs * EVALUATION_SHARE
    return Data(train, draw(held_source, held, renderer, length, math.ceil(budget / passes)))


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


def row_size(data: Data) -> int:
    """Row length for the samples of the job."""
    return usual_length([len(row.ids) - 1 for row in [*data.train.rows, *data.evaluation.rows]])


def batch_size(settings: JobSettings, rows: int) -> int:
    """Samples a step: as asked; else the power of two, from 4 to 32, that gives some fifty an epoch."""
    if settings.batch_size_samples:
        return min(settings.batch_size_samples, rows)
    wanted = max(rows // STEPS_AN_EPOCH, SMALLEST_BATCH)
    return min(LARGEST_BATCH, 1 << (wanted.bit_length() - 1), rows)


class Job:
    """The epochs of one job and what they leave in its folder."""

    def __init__(self, settings: JobSettings, folder: Folder, data: Data, trainer: Trainer) -> None:
        self.settings, self.folder, self.data, self.trainer = settings, folder, data, trainer
        self.size = batch_size(settings, len(data.train.rows))
        self.steps_an_epoch = math.ceil(len(data.train.rows) / self.size)
        self.factor = schedule(
            settings.scheduler,
            self.steps_an_epoch * settings.epochs,
            settings.warmup_steps,
            settings.min_lr_ratio,
            settings.decay_ratio,
        )
        self.run = Run()
        self.started = time.monotonic()
        self.tokens_before = 0

    def train(self) -> None:
        """All epochs that are not done yet; a checkpoint after each but the last."""
        saved = checkpoint.read(self.folder.checkpoint, self.trainer.state())
        if saved is not None:
            facts, state = saved
            self.run = Run(**facts)
            self.trainer.restore(state)
        self.tokens_before = self.run.tokens
        self.folder.cut_metrics(self.run.metrics_size)
        self.folder.progress(self.progress("running"))
        while self.run.epoch < self.settings.epochs:
            self.epoch()
            facts = dataclasses.asdict(self.run)
            self.folder.replace(self.folder.checkpoint, checkpoint.pack(facts, self.trainer.state()))

    def epoch(self) -> None:
        """One pass over the rows in an order of its own, then the evaluation."""
        order = np.random.default_rng([self.settings.seed, self.run.epoch]).permutation(
            len(self.data.train.rows)
        )
        for start in range(0, len(order), self.size):
            self.step([self.data.train.rows[index] for index in order[start : start + self.size]])
        self.run.epoch += 1
        if self.data.evaluation.rows:
            self.run.eval_loss = self.trainer.evaluate(self.data.evaluation.rows)
            line = {
                "step": self.run.step,
                "eval/loss": self.run.eval_loss,
                "eval/ppl": perplexity(self.run.eval_loss),
            }
            self.run.metrics_size = self.folder.add_metrics(line)
        self.folder.progress(self.progress("running"))

    def step(self, rows: list[Rendered]) -> None:
        rate = self.settings.learning_rate * self.factor(self.run.step)
        done = self.trainer.step(rows, rate, self.settings.weight_decay)
        self.run.step += 1
        self.run.tokens += sum(len(row.ids) for row in rows)
        self.run.train_loss = done.loss
        self.run.metrics_size = self.folder.add_metrics(
            {
                "step": self.run.step,
                "train/step": self.run.step,
                "train/loss": done.loss,
                "train/ce_loss": done.loss,
                "train/ppl": perplexity(done.loss),
                "train/lr": rate,
                "train/grad_norm": done.gradient_norm,
                "train/total_tokens": self.run.tokens,
                "train/tokens_per_sec": (self.run.tokens - self.tokens_before)
                / (time.monotonic() - self.started),
                "perf/fwd_bwd_time": done.gradient_seconds,
                "perf/optim_step_time": done.update_seconds,
            }
        )
        self.folder.progress(self.progress("running"), now=False)

    def progress(self, phase: str) -> dict[str, Any]:
        planned = self.data.train.tokens * self.settings.epochs
        return {
            "phase": phase,
            "percent": min(100, 100 * self.run.tokens // planned),
            "epoch": min(self.run.epoch, self.settings.epochs - 1),
            "input_tokens": self.run.tokens,
            "total_tokens": planned,
            "rows_used": len(self.data.train.rows),
            "rows_total": self.data.train.total,
        }

    def result(self) -> dict[str, Any]:
        train, evaluation = self.data.train, self.data.evaluation
        return {
            "ok": True,
            "tokens": self.run.tokens,
            "final_train_loss": self.run.train_loss,
            "final_eval_loss": self.run.eval_loss,
            "steps": self.run.step,
            "batch_size_samples": self.size,
            "rows_used": len(train.rows),
            "rows_total": train.total,
            "rows_skipped": train.skipped,
            "evaluation_rows_used": len(evaluation.rows),
            "evaluation_rows_total": evaluation.total,
            "token_budget": self.settings.token_budget,
            "seed": self.settings.seed,
        }


def perplexity(loss: float) -> float:
    return math.exp(min(loss, 700.0))
