"""What the answers to a prompt set will cost, as lines of a plan and as the ways that a person sees there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sessions.costs import Line, Rates
from sessions.costs.inference import (
    TOKEN_WAYS,
    Load,
    Offer,
    Served,
    deployment_line,
    deployment_offer,
    subject_line,
    token_offer,
)
from sessions.costs.lines import INFERENCE
from workflows.answers.settling import price_of
from workflows.answers.subjects import Subject
from workflows.answers.ways import DEPLOYING, WAYS, order_of
from workflows.fireworks import deployments
from workflows.fireworks.errors import REFUSALS
from workflows.work import Work, rates_path


@dataclass(frozen=True)
class Priced:
    """Lines for the plan's estimate, and what the plan's body shows of the ways by subject."""

    lines: tuple[Line, ...]
    ways: list[dict[str, Any]]


def priced(
    work: Work,
    prompts: str,
    loads: Mapping[Subject, Load],
    *,
    phase: str,
    label: str = "Answers of {subject}",
    group: str = INFERENCE,
    order: Sequence[str] = (),
) -> Priced:
    """The lines `inference:<prompts>:<subject>` and `deployment:<prompts>:<base model>` of a plan.

    `loads` are the subjects with what each is asked; `label` names a line, `group` is where it is added up,
    `order` the specification's `serving_order` unless given. What a deployment would need is
    asked of Fireworks without creating one.
    """
    rates, ways = Rates.load(rates_path()), order or order_of(work.session)
    quotes = Quotes(work, rates)
    served = {
        subject: Served(subject.key, subject.label, subject.base_model, quotes.offers(subject, load, ways))
        for subject, load in loads.items()
    }
    lines = [
        subject_line(prompts, each, phase, label.format(subject=subject.label))
        for subject, each in served.items()
    ]
    for base in dict.fromkeys(subject.base_model for subject in loads):
        alike = [each for each in served.values() if each.base_model == base]
        line = deployment_line(prompts, base, alike, phase)
        lines += [line] if line else []
    return Priced(
        tuple(replace(each, group=group) for each in lines),
        [{"prompts": prompts, **each.to_json()} for each in served.values()],
    )


class Quotes:
    """Prices by way; each question about a deployment is asked once."""

    def __init__(self, work: Work, rates: Rates) -> None:
        self.work, self.rates = work, rates
        self.deployments: dict[tuple[str, str], Offer] = {}

    def offers(self, subject: Subject, load: Load, order: Sequence[str]) -> tuple[Offer, ...]:
        """Every way of the order with its price, or why it cannot serve the subject."""
        return tuple(self.offer(name, subject, load) for name in order)

    def offer(self, name: str, subject: Subject, load: Load) -> Offer:
        why_not = WAYS[name].unfit(subject)
        if why_not:
            return Offer(name, WAYS[name].LABEL, why_not)
        if name in TOKEN_WAYS:
            price = price_of(self.rates, subject.base_model)
            return token_offer(name, WAYS[name].LABEL, load, price, self.rates)
        key = (name, subject.base_model)
        if key not in self.deployments:
            self.deployments[key] = self.quote(name, subject.base_model)
        return self.deployments[key]

    def quote(self, name: str, base_model: str) -> Offer:
        """What a deployment of that way would be, or the refusal; nothing is created."""
        label = WAYS[name].LABEL
        try:
            found = deployments.validate_only(self.work.fireworks, DEPLOYING[name].wanted(base_model))
        except REFUSALS as error:
            return Offer(name, label, (error.provider_message or str(error)).rstrip("."))
        kind, count = found.accelerator_type, found.accelerator_count
        hour = self.rates.gpu_hour(kind, self.work.now.date())
        return deployment_offer(name, label, (kind, count) if kind and count else None, hour)
