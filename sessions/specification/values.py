"""Kinds of values: how each is read from text, checked, and shown. Faults are `FieldError`s."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from sessions.specification.catalogue import choose, short_name
from sessions.specification.entries import FieldError, Workflow
from sessions.specification.refusals import not_available_workflow

RANKS_ALLOWED = (1, 2, 4, 8, 16, 32)
RATE_LOW, RATE_HIGH = 1e-7, 1e-2
ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
DATASET_NAME = re.compile(r"accounts/[a-z0-9-]+/datasets/[A-Za-z0-9._-]*[A-Za-z0-9_-]|upload:[A-Za-z0-9_-]+")
NUMBERS_APART = re.compile(r"(?:[\s,;/&]|\band\b)+")
NAMES_APART = re.compile(r"[,;\r\n]+")


Schema = dict[str, Any]


class Kind(Protocol):
    """How one kind of value is read from text, checked in a context, and shown, and what a language model may
    answer for it, as a JSON schema."""

    def parse(self, name: str, raw: str, /) -> Any: ...
    def check(self, name: str, value: Any, context: Any, /) -> Any: ...
    def show(self, value: Any, /) -> str: ...
    def schema(self, context: Any, /) -> Schema: ...


def one_of(values: Iterable[Any]) -> Schema:
    """Text that is one of these; any text where there are none."""
    allowed = list(values)
    return {"type": "string", "enum": allowed} if allowed else {"type": "string"}


def words(items: list[str] | tuple[str, ...]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]])) if items else ""


def rate_text(rate: float) -> str:
    """A learning rate the way people write it: 1e-4, 1.5e-4."""
    mantissa, _, exponent = f"{Decimal(repr(rate)):e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"


def number(name: str, raw: str) -> Decimal:
    """A number as typed, with or without thousands commas."""
    text = raw.strip().replace("−", "-")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise FieldError(
            name, f"“{raw.strip()}” is not a number.", "Write digits, for example 3 or 1e-4."
        ) from None
    if not value.is_finite() or abs(value.adjusted()) > 30:
        raise FieldError(name, f"“{raw.strip()}” is not a number.", "Write digits, for example 3 or 1e-4.")
    return value


@dataclass(frozen=True)
class Whole:
    """A whole number between two bounds, both included."""

    low: int
    high: int

    def parse(self, name: str, raw: str) -> Decimal:
        return number(name, raw)

    def check(self, name: str, value: Any, _context: Any) -> int:
        label = name.replace("_", " ").capitalize()
        remedy = f"Choose a whole number from {self.low:,} to {self.high:,}."
        if value != int(value):
            raise FieldError(name, f"{label}: {value} is not a whole number.", remedy)
        if not self.low <= value <= self.high:
            raise FieldError(name, f"{label}: {int(value)} is outside what is possible.", remedy)
        return int(value)

    def show(self, value: int) -> str:
        return f"{value:,}"

    def schema(self, _context: Any) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Many:
    """A list of values of which each is checked alone; doubles are dropped, order is kept."""

    one: Callable[[str, Any, Any], Any]
    show_one: Callable[[Any], str]
    read_one: Callable[[str, str], Any]
    apart: re.Pattern[str] = NUMBERS_APART
    item: Callable[[Any], Schema] = lambda _context: {"type": "string"}

    def parse(self, name: str, raw: str) -> tuple[Any, ...]:
        return tuple(self.read_one(name, part.strip()) for part in self.apart.split(raw) if part.strip())

    def check(self, name: str, value: Any, context: Any) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(self.one(name, each, context) for each in value))

    def show(self, value: tuple[Any, ...]) -> str:
        return words([self.show_one(each) for each in value])

    def schema(self, context: Any) -> Schema:
        return {"type": "array", "items": self.item(context)}


@dataclass(frozen=True)
class Text:
    """A value that is text, with a rule of its own; `allowed`: the few texts that it may be, if they are."""

    one: Callable[[str, str, Any], str]
    show_one: Callable[[str], str] = str
    allowed: Mapping[str, str] = field(default_factory=dict)

    def parse(self, _name: str, raw: str) -> str:
        return raw.strip()

    def check(self, name: str, value: Any, context: Any) -> str:
        return self.one(name, value, context)

    def show(self, value: str) -> str:
        return self.show_one(value)

    def schema(self, _context: Any) -> Schema:
        return one_of(self.allowed)


class _Flag:
    def parse(self, name: str, raw: str) -> bool:
        text = raw.strip().lower()
        if text in {"yes", "on", "true", "1"}:
            return True
        if text in {"no", "off", "false", "0"}:
            return False
        raise FieldError(name, f"“{raw.strip()}” is neither yes nor no.", "Choose yes or no.")

    def check(self, _name: str, value: Any, _context: Any) -> bool:
        return bool(value)

    def show(self, value: bool) -> str:
        return "yes" if value else "no"

    def schema(self, _context: Any) -> Schema:
        return {"type": "boolean"}


def _rank(name: str, value: Any, _context: Any) -> int:
    if value == 0:
        raise FieldError(
            name,
            "LoRA rank 0 means full-parameter tuning, which this portal does not run.",
            "Choose 1, 2, 4, 8, 16 or 32.",
        )
    if value not in RANKS_ALLOWED:
        raise FieldError(
            name, f"LoRA rank {value} is not a power of two up to 32.", "Choose 1, 2, 4, 8, 16 or 32."
        )
    return int(value)


def _rate(name: str, value: Any, _context: Any) -> float:
    if not RATE_LOW <= float(value) <= RATE_HIGH:
        raise FieldError(
            name,
            f"Learning rate {value} is outside what can train well.",
            "Choose one from 1e-7 to 1e-2, for example 1e-4.",
        )
    return float(value)


def _model(_name: str, value: Any, context: Any) -> str:
    return choose(value, context.catalogue).full


def named(kind: str, full: re.Pattern[str]) -> Callable[[str, str, Any], str]:
    """Reads the full name of a resource of an account, of a kind such as "dataset"; an id alone belongs to
    the account of the context."""
    remedy = f"Give its full name: accounts/ACCOUNT/{kind}s/ID."
    article = "an" if kind[0] in "aeiou" else "a"

    def read(name: str, value: str, context: Any) -> str:
        if full.fullmatch(value):
            return value
        if not ID.fullmatch(value.lower()):
            raise FieldError(name, f"“{value}” is not the name of {article} {kind}.", remedy)
        if not context.account:
            raise FieldError(name, f"The account of {kind} “{value}” is not known.", remedy)
        return f"accounts/{context.account}/{kind}s/{value.lower()}"

    return read


def _workflow(_name: str, value: str, _context: Any) -> str:
    if value not in set(Workflow):
        raise not_available_workflow(value)
    return value


def _strategy(name: str, value: str, _context: Any) -> str:
    if value not in STRATEGIES:
        fault = f"“{value}” is not a way of evaluating that this portal knows."
        raise FieldError(name, fault, "Use validation loss for evaluation.")
    return value


def _title(name: str, value: str, _context: Any) -> str:
    text = " ".join(value.split())
    if len(text) > 60:
        raise FieldError(name, f"The title has {len(text)} characters.", "Use 60 at the most.")
    if re.search(r'["“”]', text):
        raise FieldError(name, "The title contains quotation marks.", "Leave them out.")
    return text


WORKFLOWS = {
    "sft": "supervised fine-tuning",
    "preference": "preference learning",
    "classification": "classification",
    "authoring": "evaluator authoring",
}
STRATEGIES = {
    "validation_loss": "validation loss",
    "evaluator": "an evaluator of your own",
    "generated": "a generated evaluator",
}

WORKFLOW = Text(_workflow, lambda value: WORKFLOWS.get(value, value), WORKFLOWS)
STRATEGY = Text(_strategy, lambda value: STRATEGIES.get(value, value), STRATEGIES)
DATASET = Text(named("dataset", DATASET_NAME))
TITLE = Text(_title)
MODELS = Many(
    _model,
    short_name,
    lambda _name, raw: raw,
    NAMES_APART,
    lambda context: one_of(model.id for model in context.catalogue),
)
RANKS = Many(_rank, str, number, item=lambda _context: {"type": "integer", "enum": list(RANKS_ALLOWED)})
RATES = Many(
    _rate,
    rate_text,
    number,
    item=lambda _context: {"type": "number", "minimum": RATE_LOW, "maximum": RATE_HIGH},
)
FLAG = _Flag()
