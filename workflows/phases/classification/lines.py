"""What classification costs: the benchmark, the training jobs, the tuned models' answers, the deployment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sessions.costs import (
    Estimate,
    Job,
    Line,
    Pricing,
    Rates,
    candidate_lines,
    deployment_line,
    training_line,
)
from sessions.costs.estimate import CENT_OF_CENT
from sessions.costs.lines import BASE_INFERENCE, TUNED_INFERENCE
from sessions.models import BaseModel
from sessions.specification import CandidateConfig, Specification, short_name
from sessions.states import Phase
from workflows.answers import Load, Subject, priced
from workflows.phases.classification.asking import PROMPTS
from workflows.phases.classification.data import Prepared
from workflows.phases.classification.strongest import competing, how_many
from workflows.work import Work, rates_path

Configs = tuple[CandidateConfig, ...]
ZERO = Decimal(0)


def estimated(
    work: Work,
    specification: Specification,
    prepared: Prepared,
    configs: Configs,
    accelerators: tuple[str, int] | None,
) -> tuple[Estimate, list[dict[str, Any]]]:
    """The whole breakdown by the dated price table, and the ways to serve each model with their prices."""
    prices = pricing()
    rates = prices.rates
    full_runs = with_full_runs(specification, prepared, configs)
    asked = dict.fromkeys(subjects(specification, prepared, configs), load_of(prepared))
    found = priced(
        work, PROMPTS, asked, phase=Phase.EVALUATION, order=specification.value("serving_order") or ()
    )
    ways, of_answers = found.ways, found.lines
    if full_runs:
        ways = told_ways(ways, configs)
        of_answers = tuple(places(of_answers, configs, how_many(specification)))
    answers = list(answered(of_answers, specification, configs, every=not full_runs))
    lines = [line for line in answers if line.group == BASE_INFERENCE]
    lines += trained(specification, prepared, configs, prices)
    lines += [line for line in answers if line.group != BASE_INFERENCE]
    if specification.value("deploy"):
        lines.append(deployment_line(rates, accelerators, work.now.date()))
    return Estimate(tuple(lines), rates.date.isoformat()), ways


def pricing() -> Pricing:
    """The dated price table, with the size of every base model."""
    return Pricing(Rates.load(rates_path()), dict(BaseModel.objects.values_list("name", "parameters")))


def training_cost(
    specification: Specification, prepared: Prepared, configs: Configs, prices: Pricing
) -> Decimal | None:
    """What all training jobs are expected to cost together; None where one is not calculated."""
    found = [line.expected for line in trained(specification, prepared, configs, prices)]
    known = [each for each in found if each is not None]
    return sum(known, ZERO) if len(known) == len(found) else None


def load_of(prepared: Prepared) -> Load:
    """What one model is asked: the held-out rows without their answers, which are as long as a label."""
    heldout = prepared.files["heldout"]
    answer = min(prepared.prompt.max_tokens, 8)
    return Load(heldout.rows, heldout.tokens, answer, prepared.prompt.max_tokens)


def trained(
    specification: Specification, prepared: Prepared, configs: Configs, prices: Pricing
) -> Iterator[Line]:
    """The sweep, and a full-data run of each base model that goes on."""
    models, going_on = competing(configs), how_many(specification)
    found = candidate_lines(configs, prepared.files["sample"].tokens, prices)
    if with_full_runs(specification, prepared, configs):
        for name in models:
            label = f"Full-data run of {short_name(name)}"
            job = Job(f"training:final:{short_name(name)}", label, "training", prepared.files["train"].tokens,
                      configs[0].epochs)  # fmt: skip
            found.append(training_line(job, prices.rate(name), source=f"{prices.rates.source('training')}."))
    for line in found:
        yield perhaps(line, going_on, len(models))


def perhaps(line: Line, going_on: int, of: int) -> Line:
    """A line that is spent only when its base model is among the strongest: from nothing to all of it."""
    if going_on >= of or line.expected is None:
        return line
    expected = (line.expected * going_on / of).quantize(CENT_OF_CENT)
    how = f"{line.how} Only if its base model is among the {going_on} strongest of {of}."
    return Line(line.item, line.label, line.group, line.phase, ZERO, expected, line.high, how)


def subjects(specification: Specification, prepared: Prepared, configs: Configs) -> list[Subject]:
    """Every model that may be asked: the base models as they are, then the tuned ones that are measured. Of
    full-data runs there is one for each base model that competes, under the numbers that follow."""
    found = [Subject.base(each) for each in specification.value("base_models")]
    if with_full_runs(specification, prepared, configs):
        numbers = enumerate(competing(configs), len(configs) + 1)
        return found + [Subject.planned(number, name) for number, name in numbers]
    return found + [Subject.planned(each.number, each.base_model) for each in configs]


def with_full_runs(specification: Specification, prepared: Prepared, configs: Configs) -> bool:
    """Whether the best configuration of a base model is trained again on all rows."""
    return bool(configs and specification.value("final_run") and prepared.has_sample)


def places(found: Sequence[Line], configs: Configs, going_on: int) -> Iterator[Line]:
    """The lines with those of full-data runs made one for each base model that goes on. Which ones do is not
    known yet: each place costs from the least to the most that any of them would, and their mean."""
    first = len(configs) + 1
    keys = [f"inference:{PROMPTS}:candidate:{first + at}" for at in range(len(competing(configs)))]
    runs = [line for line in found if line.item in keys]
    for line in found:
        if line.item not in keys:
            yield line
        elif keys.index(line.item) < going_on:
            place = keys.index(line.item) + 1
            yield replace(any_of(runs), item=line.item, label=f"Answers of full-data run {place}")


def any_of(found: Sequence[Line]) -> Line:
    """A line for one of several, whichever it will be; not calculated when one of them is not."""
    unknown = next((line for line in found if line.high is None), None)
    if unknown:
        return unknown
    lows, means, highs = ([each or ZERO for each in ends] for ends in zip(
        *((line.low, line.expected, line.high) for line in found), strict=True))  # fmt: skip
    dearest = found[highs.index(max(highs))]
    mean = (sum(means, ZERO) / len(means)).quantize(CENT_OF_CENT)
    several = " At the most as the dearest base model that may go on." if len(set(highs)) > 1 else ""
    return replace(dearest, low=min(lows), expected=mean, high=max(highs), how=dearest.how + several)


def told_ways(found: Sequence[dict[str, Any]], configs: Configs) -> list[dict[str, Any]]:
    """The ways as the plan tells them: those of full-data runs by base model. The run itself is not named, so
    that it is covered as the dearest (`answers/approved.py`)."""
    names = {Subject.planned(number, "").key: name
             for number, name in enumerate(competing(configs), len(configs) + 1)}  # fmt: skip
    return [
        {**each, "subject": f"tuned:{names[key]}", "label": f"Full-data run of {short_name(names[key])}"}
        if (key := each["subject"]) in names
        else each
        for each in found
    ]


def answered(
    found: Sequence[Line], specification: Specification, configs: Configs, *, every: bool
) -> Iterator[Line]:
    """The lines of answers under their heads; `every`: each candidate is asked if its base model goes on."""
    going_on, of = how_many(specification), len(competing(configs))
    for line in found:
        is_base = line.item.startswith(f"inference:{PROMPTS}:base:")
        group, phase = (BASE_INFERENCE, Phase.SWEEP) if is_base else (TUNED_INFERENCE, Phase.EVALUATION)
        placed = replace(line, group=group, phase=phase)
        yield perhaps(placed, going_on, of) if every and not is_base else placed
