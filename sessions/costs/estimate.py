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


NO_COMPLETIONS = Line(
    "inference",
    "Inference",
    INFERENCE,
    "evaluation",
    ZERO,
    ZERO,
    ZERO,
    "Validation loss is measured inside the training jobs; no completions are asked for.",
)


@dataclass(frozen=True)
class Pricing:
    """What training lines are priced by: the rates, total parameters by full model name, and the method."""

    rates: Rates
    parameters: Mapping[str, int | None]
    method: str = "lora_sft"

    def rate(self, model: str) -> Decimal | None:
        """USD per 1M training tokens; None where the size or its price is not known."""
        return self.rates.training(self.method, self.parameters.get(model))

    def line(self, job: Job, model: str) -> Line:
        """A training run of a known base model."""
        return training_line(job, self.rate(model), source=f"{self.rates.source('training')}.")


def candidate_lines(candidates: Sequence[CandidateConfig], tokens: int, pricing: Pricing) -> list[Line]:
    """One line a candidate; `tokens` are rendered tokens of one pass over what they train on."""
    return [
        pricing.line(
            Job(
                f"training:candidate:{each.number}",
                f"Candidate {each.number}: {each.label}",
                "sweep",
                tokens,
                each.epochs,
            ),
            each.base_model,
        )
        for each in candidates
    ]


def final_line(candidates: Sequence[CandidateConfig], tokens: int, pricing: Pricing) -> Line:
    """The full-data run of a winner that is not known yet: priced as the dearest candidate."""
    item, label = "training:final", "Full-data run of the winner"
    known = [(rate * each.epochs, each) for each in candidates if (rate := pricing.rate(each.base_model))]
    if not known or len(known) < len(candidates):
        note = "The winner is not known yet, and one that may win cannot be priced."
        return training_line(Job(item, label, "training", tokens, 0), None, note=note)
    _, dearest = max(known, key=lambda each: each[0])
    name = short_name(dearest.base_model)
    note = f"The winner is not known yet: priced as the most expensive candidate ({name})."
    job = Job(item, label, "training", tokens, dearest.epochs)
    rate, source = pricing.rate(dearest.base_model), f"{pricing.rates.source('training')}."
    return training_line(job, rate, source=source, note=note)


def deployment_line(rates: Rates, deployment: tuple[str, int] | None, today: date) -> Line:
    """The first hour of what serves the winner: the API's accelerator name and how many, None where that is
    not known yet."""
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
    inference: Sequence[Line] = (NO_COMPLETIONS,),
) -> Estimate:
    """The cost of a supervised fine-tuning plan.

    `sample_tokens` and `full_tokens` are rendered tokens of one pass over the tuning sample and over the
    whole train split; `parameters_by_model` has total parameters by full model name; `inference` are the
    lines of completions that compare the candidates.
    """
    pricing = Pricing(rates, parameters_by_model)
    lines = candidate_lines(candidates, sample_tokens, pricing)
    if final_run:
        lines.append(final_line(candidates, full_tokens, pricing))
    lines += inference
    if deploy:
        lines.append(deployment_line(rates, deployment, today))
    return Estimate(tuple(lines), rates.date.isoformat())
