"""Kinds of values beyond the training grid: money, shares, targets, labels, names and free text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sessions.specification.catalogue import choose_served, short_name
from sessions.specification.entries import FieldError
from sessions.specification.quoting import parts, unquote
from sessions.specification.values import Many, Schema, Text, named, number, one_of, words

EVALUATOR_NAME = re.compile(
    r"accounts/[a-z0-9-]+/evaluators/[A-Za-z0-9._-]*[A-Za-z0-9_-]|upload:[A-Za-z0-9_-]+"
)
QUOTES = re.compile('["“”„]')
LABELS_APART = re.compile(r"[,;\r\n]+")
MANY_LABELS, FIRST_LABELS = 20, 8
METRICS = {
    "win_rate": "win rate",
    "accuracy": "accuracy",
    "f1": "F1",
    "score": "score",
    "validation_loss": "validation loss",
}
LONGEST_TEXT, LONGEST_LABEL, MOST_BUDGET = 1_000, 80, Decimal(1_000_000)


class _Amount:
    """An amount of money in USD, kept as text with two decimals: money is never a float."""

    def parse(self, name: str, raw: str) -> Decimal:
        return number(name, raw.strip().removeprefix("$"))

    def check(self, name: str, value: Any, _context: Any) -> str:
        amount = Decimal(value).quantize(Decimal("0.01"))
        if not 0 < amount <= MOST_BUDGET:
            raise FieldError(
                name, f"A budget of ${amount} cannot be kept.", "Name an amount in USD above $0."
            )
        return str(amount)

    def show(self, value: str) -> str:
        return f"${Decimal(value):,.2f}".removesuffix(".00")

    def schema(self, _context: Any) -> Schema:
        return {"type": "number", "minimum": 0.01, "maximum": int(MOST_BUDGET)}


class _Share:
    """The part of the data to measure on, between 0 and 1; typed as `30%`, `0.3` or `70/30`."""

    def parse(self, name: str, raw: str) -> Decimal:
        text = raw.strip()
        if split := re.fullmatch(r"(\d+)\s*[/:]\s*(\d+)", text):
            train, test = Decimal(split[1]), Decimal(split[2])
            return test / (train + test) if train + test else Decimal(0)
        return number(name, text.removesuffix("%")) / (100 if text.endswith("%") else 1)

    def check(self, name: str, value: Any, _context: Any) -> float:
        if not Decimal("0.001") <= Decimal(str(value)) <= Decimal("0.9"):
            raise FieldError(
                name,
                f"A test share of {float(value):.0%} cannot be used.",
                "Choose one from 0.1% to 90%, for example 20%.",
            )
        return float(value)

    def show(self, value: float) -> str:
        return percent(value)

    def schema(self, _context: Any) -> Schema:
        return {"type": "number", "minimum": 0.001, "maximum": 0.9}


def percent(value: float) -> str:
    """0.75 as `75%`, 0.125 as `12.5%`."""
    return f"{100 * value:.4g}%"


class _Target:
    """A goal: the measure's name and the figure to reach (shares between 0 and 1)."""

    def parse(self, name: str, raw: str) -> tuple[str, Decimal]:
        metric, _, figure = raw.rpartition(",")
        text = figure.strip()
        value = number(name, text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        return metric.strip().replace(" ", "_"), value

    def check(self, name: str, value: Any, _context: Any) -> tuple[str, float]:
        metric, figure = value
        if metric not in METRICS:
            raise FieldError(name, f"“{metric}” is not measured here.", f"Name one of: {words(_METRICS)}.")
        if not 0 <= figure <= (1 if metric != "validation_loss" else 100):
            raise FieldError(name, f"A {METRICS[metric]} of {figure} cannot be reached.", "Name 0 to 100%.")
        return metric, float(figure)

    def show(self, value: Sequence[Any]) -> str:
        metric, figure = value
        return f"{METRICS[metric]} of {figure:g}" if metric == "validation_loss" else _reached(metric, figure)

    def schema(self, _context: Any) -> Schema:
        return {"type": "string", "description": f"A measure ({words(_METRICS)}), a comma, and the figure."}


_METRICS = list(METRICS.values())


def _reached(metric: str, figure: float) -> str:
    return f"{METRICS[metric]} of {percent(figure)}"


@dataclass(frozen=True)
class Real:
    """A number between two bounds, both included."""

    low: float
    high: float

    def parse(self, name: str, raw: str) -> Decimal:
        return number(name, raw)

    def check(self, name: str, value: Any, _context: Any) -> float:
        if not self.low <= float(value) <= self.high:
            label = name.replace("_", " ").capitalize()
            raise FieldError(
                name,
                f"{label}: {value} is outside what is possible.",
                f"Choose a number from {self.low:g} to {self.high:g}.",
            )
        return float(value)

    def show(self, value: float) -> str:
        return f"{value:g}"

    def schema(self, _context: Any) -> Schema:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


def _label(name: str, value: str, _context: Any) -> str:
    text = " ".join(value.split())
    if not 0 < len(text) <= LONGEST_LABEL:
        raise FieldError(
            name, f"The label “{text[:20]}…” is too long.", f"Use {LONGEST_LABEL} characters at the most."
        )
    return text


WAYS = {
    "serverless": "serverless inference",
    "batch": "batch inference",
    "multi_lora": "multi-LoRA deployment",
    "live_merge": "live merge",
}


def _way(name: str, value: str, _context: Any) -> str:
    words = re.sub(r"[\s_-]+", " ", value.strip().lower())
    found = [
        way
        for way, label in WAYS.items()
        if words in (way.replace("_", " "), label.replace("-", " ").lower())
    ]
    if not found:
        remedy = "Name some of serverless, batch, multi-LoRA and live merge."
        raise FieldError(name, f"“{value}” is not a way to get answers of a model.", remedy)
    return found[0]


class Listed(Many):
    """A list whose parts may stand in quotation marks."""

    def parse(self, name: str, raw: str) -> tuple[Any, ...]:
        return tuple(self.read_one(name, each.strip()) for each in parts(raw, self.apart) if each.strip())


class _Labels(Listed):
    """Labels; of many the first few are shown, the plan's table has them all."""

    def show(self, value: tuple[Any, ...]) -> str:
        if len(value) <= MANY_LABELS:
            return super().show(value)
        return f"{', '.join(map(str, value[:FIRST_LABELS]))} and {len(value) - FIRST_LABELS} more"


METHODS = {"dpo": "DPO", "orpo": "ORPO"}


def _method(name: str, value: str, _context: Any) -> str:
    if value.lower() not in METHODS:
        raise FieldError(
            name, f"“{value}” is not a method of preference learning here.", "Choose DPO or ORPO."
        )
    return value.lower()


def _served(name: str, value: str, context: Any) -> str:
    return choose_served(name, value, context.served).full


# Of pairs that are made, what is left out; an answer that is missing or empty, or both the same, always is.
SCREENINGS = {
    "faulty": "only what makes no pair",
    "refused": "answers that decline",
    "cut_off": "answers that decline or were cut off",
}
REVIEWS = {
    "show": "show them before training",
    "train": "train on them",
    "change": "change something first",
}


def _one_of(words: Mapping[str, str], said: str) -> Text:
    """One of a few words, shown as what it stands for."""

    def check(name: str, value: str, _context: Any) -> str:
        if value not in words:
            raise FieldError(name, f"“{value}” is no {said} here.", f"Use one of: {', '.join(words)}.")
        return value

    return Text(check, lambda value: words.get(value, value), words)


def _free(name: str, value: str, _context: Any) -> str:
    text = QUOTES.sub("'", " ".join(value.split()))
    if len(text) > LONGEST_TEXT:
        raise FieldError(
            name, f"The text has {len(text):,} characters.", f"Use {LONGEST_TEXT:,} at the most."
        )
    return text


AMOUNT, SHARE, TARGET = _Amount(), _Share(), _Target()
LABELS = _Labels(_label, str, lambda _name, raw: unquote(raw), LABELS_APART)
BETA = Real(0.001, 10)
BETAS = Many(BETA.check, lambda each: f"{each:g}", number, item=BETA.schema)
SERVING = Many(_way, WAYS.__getitem__, lambda _name, raw: raw, LABELS_APART, lambda _context: one_of(WAYS))
THRESHOLD = Real(1, 1_000_000)
EVALUATOR = Text(named("evaluator", EVALUATOR_NAME))
METHOD = Text(_method, str.upper, METHODS)
FREE = Text(_free)
SERVED = Text(_served, short_name)
SCREENING = _one_of(SCREENINGS, "way to screen pairs")
REVIEW = _one_of(REVIEWS, "answer about pairs")
