"""A cost breakdown: priced lines with a range, their sums, and what could not be priced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
TRAINING, INFERENCE, DEPLOYMENT = "Training", "Inference", "Deployment's first hour"
BASE_INFERENCE, TUNED_INFERENCE = "Base-model inference", "Fine-tuned inference"  # of classification
PAIRS, EVALUATOR = "Pair generation", "Evaluator"  # of preference learning
GROUPS = (BASE_INFERENCE, PAIRS, TRAINING, TUNED_INFERENCE, EVALUATOR, INFERENCE, DEPLOYMENT)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@dataclass(frozen=True)
class Line:
    """One thing that costs money. Amounts in USD; all three None means not calculated, `how` says why."""

    item: str
    label: str
    group: str
    phase: str
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    how: str

    def to_json(self) -> dict[str, Any]:
        amounts = {"low": _text(self.low), "expected": _text(self.expected), "high": _text(self.high)}
        words = {
            "item": self.item,
            "label": self.label,
            "group": self.group,
            "phase": self.phase,
            "how": self.how,
        }
        return words | amounts

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Line:
        amounts = {name: _amount(data[name]) for name in ("low", "expected", "high")}
        return cls(**{**data, **amounts})


@dataclass(frozen=True)
class Sum:
    """The priced lines of one group or phase added up, and the labels of those that are not priced."""

    label: str
    low: Decimal
    expected: Decimal
    high: Decimal
    not_calculated: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        amounts = {"low": str(self.low), "expected": str(self.expected), "high": str(self.high)}
        return {"label": self.label, **amounts, "not_calculated": list(self.not_calculated)}


def add_up(label: str, lines: Iterable[Line]) -> Sum:
    lines = tuple(lines)
    unknown = tuple(line.label for line in lines if line.expected is None)
    low, expected, high = (
        sum((amount for amount in amounts if amount is not None), ZERO)
        for amounts in (
            [each.low for each in lines],
            [each.expected for each in lines],
            [each.high for each in lines],
        )
    )
    return Sum(label, low, expected, high, unknown)


@dataclass(frozen=True)
class Estimate:
    """The whole breakdown of a plan, in USD. The sums leave out what was not calculated."""

    lines: tuple[Line, ...]
    rates_date: str = ""

    @property
    def total(self) -> Sum:
        return add_up("Total", self.lines)

    @property
    def low(self) -> Decimal:
        return self.total.low

    @property
    def expected(self) -> Decimal:
        return self.total.expected

    @property
    def high(self) -> Decimal:
        return self.total.high

    @property
    def not_calculated(self) -> list[str]:
        return list(self.total.not_calculated)

    def line(self, item: str) -> Line | None:
        return next((line for line in self.lines if line.item == item), None)

    def by_group(self) -> list[Sum]:
        """The workflow's own lines (Training, Inference, Deployment's first hour), then the total."""
        groups = [line.group for line in self.lines]
        return [*self._sums([each for each in GROUPS if each in groups], groups), self.total]

    def by_phase(self) -> list[Sum]:
        """One sum a phase, in the order in which the phases spend."""
        phases = [line.phase for line in self.lines]
        return self._sums(tuple(dict.fromkeys(phases)), phases)

    def _sums(self, labels: Sequence[str], of_lines: Sequence[str]) -> list[Sum]:
        pairs = list(zip(of_lines, self.lines, strict=True))
        return [add_up(label, (line for mark, line in pairs if mark == label)) for label in labels]

    def to_json(self) -> dict[str, Any]:
        total = self.total.to_json()
        sums = {
            "by_group": [each.to_json() for each in self.by_group()],
            "by_phase": [each.to_json() for each in self.by_phase()],
        }
        lines = [line.to_json() for line in self.lines]
        return {
            "lines": lines,
            **{k: v for k, v in total.items() if k != "label"},
            **sums,
            "rates_date": self.rates_date,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Estimate:
        return cls(tuple(Line.from_json(line) for line in data["lines"]), data.get("rates_date", ""))
