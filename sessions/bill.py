"""Money as tables: the plan's estimate and the ledger, by kind, by phase and by line. USD, Decimal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sessions.costs.lines import GROUPS
from sessions.models import LedgerLine
from sessions.states import PHASE_LABELS, Phase

AT_MOST = "counted at the most"  # how a gap begins where nobody counted


@dataclass(frozen=True)
class Line:
    """One line of money; None is not calculated (an estimate) or not known yet (the actual amount)."""

    label: str
    group: str
    phase: str
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    how: str = ""
    reserved: Decimal | None = None
    actual: Decimal | None = None
    gap: str = ""


@dataclass(frozen=True)
class Sum:
    """Several lines in one row. `open` counts the lines that could not be priced."""

    label: str
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    actual: Decimal | None
    open: int


@dataclass(frozen=True)
class Bill:
    """A table of money: sums by kind and by phase, the total, and the lines themselves."""

    groups: list[Sum]
    phases: list[Sum]
    total: Sum
    lines: Sequence[Line]

    @property
    def unpriced(self) -> list[Line]:
        return [line for line in self.lines if line.expected is None]


def amount(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def lines_of_plan(body: dict[str, Any]) -> list[Line]:
    """The lines of a plan's estimate, as its JSON body has them."""
    return [
        Line(
            label=line["label"],
            group=line["group"],
            phase=line["phase"],
            low=amount(line["low"]),
            expected=amount(line["expected"]),
            high=amount(line["high"]),
            how=line.get("how", ""),
        )
        for line in body.get("estimate", {}).get("lines", [])
    ]


def lines_of_ledger(ledger: Iterable[LedgerLine]) -> list[Line]:
    """The lines of an approved estimate with what was reserved and spent since."""
    names = ("label", "group", "phase", "low", "expected", "high", "how", "reserved", "actual")
    return [Line(**{name: getattr(row, name) for name in names}, gap=reason(row)) for row in ledger]


def reason(row: LedgerLine) -> str:
    """Why a line's actual amount differs from its estimate; empty while it has none and nothing was told."""
    if row.actual is not None and row.actual == row.expected and not row.gap.startswith(AT_MOST):
        return "as estimated"
    if row.actual is None or row.gap:
        return row.gap
    if row.expected is None or row.low is None or row.high is None:
        return "there was no estimate"
    inside = row.low <= row.actual <= row.high
    return "within the range" if inside else "outside the range, and no reason was told"


def bill(lines: Sequence[Line]) -> Bill:
    """Sums of the lines; kinds in their fixed order, phases in theirs."""
    groups = [*GROUPS, *sorted({line.group for line in lines} - set(GROUPS))]
    return Bill(
        groups=sums(lines, {group: group for group in groups}, lambda line: line.group),
        phases=sums(lines, {str(phase): PHASE_LABELS[phase] for phase in Phase}, lambda line: line.phase),
        total=total("Total", lines),
        lines=lines,
    )


def sums(lines: Sequence[Line], labels: dict[str, str], key: Callable[[Line], str]) -> list[Sum]:
    found = {name: [line for line in lines if key(line) == name] for name in labels}
    return [total(labels[name], some) for name, some in found.items() if some]


def total(label: str, lines: Sequence[Line]) -> Sum:
    """Lines without a number do not count; a sum of nothing known is None."""
    return Sum(
        label=label,
        low=add(line.low for line in lines),
        expected=add(line.expected for line in lines),
        high=add(line.high for line in lines),
        actual=add(line.actual for line in lines),
        open=sum(line.expected is None for line in lines),
    )


def add(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [each for each in amounts if each is not None]
    return sum(known, Decimal(0)) if known else None
