"""What a run comes to before it is planned: samples, jobs, cost range, time range, risks. Nobody is called,
so the plan, which asks Fireworks, may say more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sessions.costs import (
    Estimate,
    Line,
    Pricing,
    Rates,
    TimeRange,
    candidate_lines,
    deployment_line,
    final_line,
    money,
    time_range,
)
from sessions.costs.lines import INFERENCE
from sessions.models import BaseModel
from sessions.sources import Source
from sessions.specification import (
    CandidateConfig,
    FieldError,
    Specification,
    Workflow,
    candidates,
    resolve,
    short_name,
    show,
)

FEW_ROWS, FEW_HELD_OUT = 50, 30


@dataclass(frozen=True)
class Preview:
    """Figures for the side card; None where something must be said first."""

    samples: int | None = None
    tokens: int | None = None
    train_rows: int | None = None
    sample_rows: int | None = None
    heldout_rows: int | None = None
    configs: tuple[CandidateConfig, ...] = ()
    final_run: bool = False
    cost: Estimate | None = None
    time: TimeRange | None = None
    risks: tuple[str, ...] = ()
    errors: tuple[FieldError, ...] = field(default=())

    @property
    def jobs(self) -> int:
        return len(self.configs) + self.final_run


def preview(
    spec: Specification,
    source: Source | None,
    models: Mapping[str, BaseModel],
    *,
    rates: Rates,
    today: date,
    rehearsal: bool,
) -> Preview:
    """What this specification comes to on this data, as far as both are known."""
    usable = source.usable if source else None
    if source is None or not usable or spec.value("workflow") == Workflow.AUTHORING:
        return Preview(samples=source.samples if source else None, tokens=source.tokens if source else None)
    try:
        full = resolve(spec, total_samples=usable)
        configs = () if full.value("benchmark_only") else candidates(full)
    except FieldError as error:
        return Preview(samples=source.samples, tokens=source.tokens, errors=(error,))
    held_out = full.value("heldout_rows")
    train = usable - held_out
    sample = min(train, full.value("tuning_samples", train))
    rows = {"train_rows": train, "sample_rows": sample, "heldout_rows": held_out}
    final_run = bool(full.value("final_run")) and sample < train and bool(configs)
    figures = Preview(
        source.samples, source.tokens, **rows, risks=tuple(risks(full, models, train, held_out))
    )
    if not spec.value("base_models") or source.tokens is None:
        return figures
    sample_tokens, full_tokens = (source.tokens * count // usable for count in (sample, train))
    lines = training(
        full, configs, models, rates, (sample_tokens, full_tokens) if final_run else (sample_tokens,)
    )
    if full.value("deploy") and configs:
        lines.append(deployment_line(rates, None, today))
    cost = Estimate((*lines, *answers(full)), rates.date.isoformat())
    time = time_range(
        configs,
        sample_tokens=sample_tokens,
        full_tokens=full_tokens,
        parallel_jobs=full.value("parallel_jobs"),
        final_run=final_run,
        deploy=full.value("deploy"),
        rehearsal=rehearsal,
    )
    return Preview(
        source.samples, source.tokens, **rows,
        configs=configs, final_run=final_run, cost=cost, time=time if configs else None,
        risks=(*figures.risks, *beyond(spec, cost)),
    )  # fmt: skip


def training(
    spec: Specification,
    configs: Sequence[CandidateConfig],
    models: Mapping[str, BaseModel],
    rates: Rates,
    tokens: Sequence[int],
) -> list[Line]:
    """What training comes to; `tokens` of one pass over the candidates' rows and, with a full-data run, over
    all training rows."""
    sizes = {name: model.parameters for name, model in models.items()}
    method = "lora_dpo" if spec.value("workflow") == Workflow.PREFERENCE else "lora_sft"
    pricing = Pricing(rates, sizes, method)
    lines = candidate_lines(configs, tokens[0], pricing)
    winners = [configs]
    if (
        spec.value("workflow") == Workflow.CLASSIFICATION
    ):  # every base model has a best candidate that goes on
        winners = [[c for c in configs if c.base_model == name] for name in spec.value("base_models")]
    lines += [final_line(each, count, pricing) for count in tokens[1:] for each in winners]
    return lines


def answers(spec: Specification) -> list[Line]:
    """What is asked of models to compare them: the plan prices it, which knows the prompts and the ways."""
    if spec.value("strategy") == "validation_loss":
        return []
    words = "The plan prices what is asked of models, by their prompts and by what serves them."
    return [Line("inference", "Answers of the models", INFERENCE, "evaluation", None, None, None, words)]


def beyond(spec: Specification, cost: Estimate) -> list[str]:
    """The budget that the person set, where this may cost more."""
    budget = spec.value("budget")
    if not budget or cost.high is None or cost.high <= Decimal(budget):
        return []
    return [f"This may cost up to {money(cost.high)}: more than your budget of {show('budget', budget)}."]


def risks(spec: Specification, models: Mapping[str, BaseModel], train: int, held_out: int) -> list[str]:
    """What may go wrong or mislead, in plain sentences."""
    found = []
    if train < FEW_ROWS:
        found.append(f"Only {train} rows to train on: expect a model that repeats them.")
    if held_out and held_out < FEW_HELD_OUT:
        found.append(f"Validation loss will rest on {held_out} rows: small differences will be noise.")
    unservable = [
        name for name in spec.value("base_models", ()) if (row := models.get(name)) and not row.servable
    ]
    if spec.value("deploy"):
        found += [
            f"A tuned {short_name(name)} cannot be served as LoRA: deploying it will fail."
            for name in unservable
        ]
    return found
