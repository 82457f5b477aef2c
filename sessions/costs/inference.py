"""What answers to a prompt set cost: tokens by the rate of a way, or hours of a temporary deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sessions.costs.lines import INFERENCE, ZERO, Line
from sessions.costs.money import money
from sessions.costs.rates import Rates, TokenPrice

MILLION = Decimal(1_000_000)
MICRO = Decimal("0.000001")
# Of estimated prompt tokens (workflows/data/tokens), and of the answer tokens that are expected; at the most
# an answer is as long as the sampling settings allow.
PROMPT_LOW, PROMPT_HIGH, ANSWER_LOW = Decimal("0.75"), Decimal("1.45"), Decimal("0.5")
TOKEN_WAYS = ("serverless", "batch")
# Of one temporary deployment: its start is not billed (facts sheet 6.5), and its end follows the last answer.
ASKED = "and then you are asked first"
HOURS, MOST_HOURS = Decimal("0.5"), Decimal(1)


@dataclass(frozen=True)
class Load:
    """How much one subject is asked: rows, tokens of all prompts together, tokens of one answer as expected
    and at the most. `most_prompt_tokens` where the prompts are not written yet and may become longer."""

    rows: int
    prompt_tokens: int
    answer_tokens: int
    max_tokens: int
    most_prompt_tokens: int = 0

    @property
    def prompt_high(self) -> Decimal:
        return max(self.prompt_tokens, self.most_prompt_tokens) * PROMPT_HIGH


@dataclass(frozen=True)
class Offer:
    """One way to serve a subject with its price in USD; None is not calculated. `why_not` is empty when it
    may be used. A deployment's price is that of one deployment, which several subjects may share."""

    way: str
    label: str
    why_not: str = ""
    low: Decimal | None = None
    expected: Decimal | None = None
    high: Decimal | None = None
    how: str = ""

    @property
    def by_token(self) -> bool:
        return self.way in TOKEN_WAYS

    def to_json(self) -> dict[str, Any]:
        amounts = {"low": self.low, "expected": self.expected, "high": self.high}
        told = {name: None if amount is None else str(amount) for name, amount in amounts.items()}
        return {"way": self.way, "label": self.label, "why_not": self.why_not, "how": self.how, **told}


def factor(rates: Rates, way: str) -> Decimal | None:
    """What a way costs of the serverless price; None when that is not known."""
    return rates.batch_factor if way == "batch" else Decimal(1)


def token_cost(prompt: Decimal | int, answer: Decimal | int, price: TokenPrice, share: Decimal) -> Decimal:
    """USD for so many prompt and answer tokens at a share of the serverless price."""
    cost = (prompt * price.input + answer * price.output) * share / MILLION
    return cost.quantize(MICRO)


def token_offer(way: str, label: str, load: Load, price: TokenPrice | None, rates: Rates) -> Offer:
    """A way that is billed by the token."""
    share = factor(rates, way)
    if price is None or share is None:
        return Offer(way, label, how=f"No rate is known for {label} of this model.")
    expected, most = load.rows * load.answer_tokens, load.rows * load.max_tokens
    half = f" at {share} of the serverless price" if share != 1 else ""
    how = (
        f"{load.rows:,} rows by {label}{half}: {load.prompt_tokens:,} prompt tokens × ${price.input} and "
        f"{expected:,} to {most:,} answer tokens × ${price.output} per 1M. {rates.source('serverless')}."
    )
    return Offer(
        way,
        label,
        low=token_cost(load.prompt_tokens * PROMPT_LOW, expected * ANSWER_LOW, price, share),
        expected=token_cost(load.prompt_tokens, expected, price, share),
        high=token_cost(load.prompt_high, most, price, share),
        how=how,
    )


def deployment_offer(
    way: str, label: str, accelerators: tuple[str, int] | None, hour: Decimal | None
) -> Offer:
    """A way that is billed by the time of a deployment; `hour` is the price of one accelerator."""
    if accelerators is None or hour is None:
        why = (
            "Which accelerators it needs is not known."
            if accelerators is None
            else "No rate is known for it."
        )
        return Offer(way, label, how=why)
    kind, count = accelerators
    cost = hour * count
    how = f"{count} × {kind} × ${hour} per hour by {label}, assumed for {HOURS} to {MOST_HOURS} hours"
    return Offer(way, label, low=ZERO, expected=cost * HOURS, high=cost * MOST_HOURS, how=how)


@dataclass(frozen=True)
class Served:
    """A subject with its ways in the order in which they will be tried."""

    key: str
    label: str
    base_model: str
    offers: tuple[Offer, ...]

    @property
    def fit(self) -> tuple[Offer, ...]:
        return tuple(each for each in self.offers if not each.why_not)

    def to_json(self) -> dict[str, Any]:
        """For the plan's page: each way with its price, or why not."""
        return {"subject": self.key, "label": self.label, "ways": [each.to_json() for each in self.offers]}


def subject_line(prompts: str, served: Served, phase: str, label: str) -> Line:
    """What a subject's tokens cost by its first way. A dearer one that may have to follow is told: nothing
    goes to it before a person approved the difference."""
    words = (f"inference:{prompts}:{served.key}", label[:160], INFERENCE, phase)
    if not served.fit:
        return Line(*words, None, None, None, f"No way serves it. {reasons(served)}")
    first, *others = served.fit
    if not first.by_token:
        how = f"Answered by a temporary deployment ({first.label}), which has its own line."
        return Line(*words, ZERO, ZERO, ZERO, how + dearer(first, others, ZERO))
    if first.high is None:
        return Line(*words, None, None, None, first.how)
    return Line(*words, first.low, first.expected, first.high, first.how + dearer(first, others, first.high))


def dearer(first: Offer, others: Sequence[Offer], most: Decimal) -> str:
    """What is said of ways by the token that would cost more than the first one."""
    known = [each for each in others if each.by_token and each.high is not None and each.high > most]
    told = (f"up to {money(each.high)} by {each.label}" for each in known if each.high is not None)
    found = ", ".join(told)
    return f" Only if {first.label} is refused: {found}, {ASKED}." if found else ""


def reasons(served: Served) -> str:
    return " ".join(f"{each.label}: {each.why_not}." for each in served.offers)


def deployment_line(prompts: str, base_model: str, group: Sequence[Served], phase: str) -> Line | None:
    """What temporary deployments for the subjects of one base model cost, if any may be needed: those that
    are a subject's first way. Without any the line is 0, and nothing is deployed before a person is asked."""
    possible = [each for served in group for each in served.fit if not each.by_token]
    if not possible:
        return None
    label = f"Temporary deployment of {base_model.rsplit('/', 1)[-1]}"
    words = (f"deployment:{prompts}:{base_model}", label, INFERENCE, phase)
    first = [served.fit[0] for served in group if served.fit and not served.fit[0].by_token]
    needed = first or possible
    unknown = next((each for each in needed if each.high is None), None)
    if unknown:
        return Line(*words, None, None, None, unknown.how)
    if not first:
        return Line(*words, ZERO, ZERO, ZERO, fallback(group))
    how = ". ".join(dict.fromkeys(each.how for each in first))
    expected, high = (of_deployments(first, end) for end in ("expected", "high"))
    return Line(*words, ZERO, expected, high, f"{how}. Deleted after the last answer.")


def fallback(group: Sequence[Served]) -> str:
    """What is said of deployments that only follow when the ways before them are refused."""
    told = []
    for served in group:
        for way, offer in zip(served.fit, served.fit[1:], strict=False):
            if way.by_token and offer.high is not None and not offer.by_token:
                hour = money(offer.high / MOST_HOURS)
                told.append(
                    f"Only if {way.label} is refused: about {hour} an hour, and then you are asked first."
                )
    return " ".join(dict.fromkeys(told))


def of_deployments(offers: Sequence[Offer], end: str) -> Decimal:
    """One deployment that all share, and one for each subject that needs its own."""
    shared = [getattr(each, end) for each in offers if each.way == "multi_lora"][:1]
    own = [getattr(each, end) for each in offers if each.way == "live_merge"]
    return sum([*shared, *own], ZERO)
