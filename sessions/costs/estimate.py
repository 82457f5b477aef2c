"""What a plan costs: rendered tokens x epochs x rate for training, the first hour for a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sessions.costs.lines import DEPLOYMENT, INFERENCE, TRAINING, ZERO, Estimate, Line
from sessions.costs.rates import Rates
from sessions.specification import CandidateConfig, short_name

# Own token counts can be far from the provider's (chat template, reasoning): facts section 9.
LOW, HIGH = Decimal("0.7"), Decimal("1.3")
MILLION = Decimal(1_000_000)
CENT_OF_CENT = Decimal("0.000001")


@dataclass(frozen=True)
class Job:
    """One training run to be priced: rendered tokens of one pass over its rows, and how many passes."""

    item: str
    label: str
    phase: str
    tokens: int
    epochs: int


def training_line(job: Job, rate: Decimal | None, *, source: str = "", note: str = "") -> Line:
    """Rendered tokens x epochs x rate (USD per 1M tokens), from 0.7 to 1.3 times that."""
    words = (job.item, job.label, TRAINING, job.phase)
    if rate is None:
        return Line(*words, None, None, None, "No rate is known for this model's size. " + note)
    expected = (Decimal(job.tokens) * job.epochs * rate / MILLION).quantize(CENT_OF_CENT)
    passes = f"{job.epochs} epoch{'s' * (job.epochs != 1)}"
    how = f"{job.tokens:,} tokens × {passes} × ${rate} per 1M; range 0.7 to 1.3 times. {source} {note}"
    # Rounded here, line by line, so that a plan's total is exactly what its lines can add up to.
    low, high = ((expected * factor).quantize(CENT_OF_CENT) for factor in (LOW, HIGH))
    return Line(*words, low, expected, high, " ".join(how.split()))


def estimate(
    candidates: Sequence[CandidateConfig],
    *,
    rates: Rates,
    sample_tokens: int,
    full_tokens: int,
    parameters_by_model: Mapping[str, int | None],
    final_run: bool,
    deployment: tuple[str, int] | None,
    today: date,
    deploy: bool = True,
    method: str = "lora_sft",
) -> Estimate:
    """The cost of a supervised fine-tuning plan compared by validation loss.

    `sample_tokens` and `full_tokens` are rendered tokens of one pass over the tuning sample and over the
    whole train split; `parameters_by_model` has total parameters by full model name; `deployment` is the
    API's accelerator name and how many, None where that is not known yet.
    """

    def rate(model: str) -> Decimal | None:
        return rates.training(method, parameters_by_model.get(model))

    lines = [_candidate_line(each, sample_tokens, rate(each.base_model), rates) for each in candidates]
    if final_run:
        lines.append(
            _final_line(candidates, full_tokens, [rate(each.base_model) for each in candidates], rates)
        )
    lines.append(
        Line(
            "inference",
            "Inference",
            INFERENCE,
            "evaluation",
            ZERO,
            ZERO,
            ZERO,
            "Validation loss is measured inside the training jobs; no completions are asked for.",
        )
    )
    if deploy:
        lines.append(_deployment_line(rates, deployment, today))
    return Estimate(tuple(lines), rates.date.isoformat())


def _candidate_line(config: CandidateConfig, tokens: int, rate: Decimal | None, rates: Rates) -> Line:
    label = f"Candidate {config.number}: {config.label}"
    job = Job(f"training:candidate:{config.number}", label, "sweep", tokens, config.epochs)
    return training_line(job, rate, source=f"{rates.source('training')}.")


def _final_line(
    candidates: Sequence[CandidateConfig], tokens: int, rates_each: Sequence[Decimal | None], rates: Rates
) -> Line:
    known = [
        (rate * each.epochs, each, rate)
        for each, rate in zip(candidates, rates_each, strict=True)
        if rate is not None
    ]
    item, label = "training:final", "Full-data run of the winner"
    if not known or len(known) < len(candidates):
        note = "The winner is not known yet, and one that may win cannot be priced."
        return training_line(Job(item, label, "training", tokens, 0), None, note=note)
    _, dearest, rate = max(known, key=lambda each: each[0])
    name = short_name(dearest.base_model)
    note = f"The winner is not known yet: priced as the most expensive candidate ({name})."
    job = Job(item, label, "training", tokens, dearest.epochs)
    return training_line(job, rate, source=f"{rates.source('training')}.", note=note)


def _deployment_line(rates: Rates, deployment: tuple[str, int] | None, today: date) -> Line:
    words = ("deployment:first-hour", "First hour of the deployment", DEPLOYMENT, "deployment")
    if deployment is None:
        return Line(*words, None, None, None, "Which accelerators it will need is not known yet.")
    accelerator, count = deployment
    hour = rates.gpu_hour(accelerator, today)
    if hour is None:
        return Line(*words, None, None, None, f"No rate is known for {count} × {accelerator}.")
    cost = hour * count
    source = rates.source("gpu_hour")
    how = f"{count} × {accelerator} × ${hour} per hour; less when it scales to zero. {source}."
    return Line(*words, cost, cost, cost, how)
