"""What comparisons come to, in words that a person can act on: clear, or within noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workflows.metrics import words
from workflows.metrics.intervals import Estimate
from workflows.metrics.paired import Comparison, holm, holm_levels
from workflows.metrics.power import ALPHA, detectable, rows_needed

CLEAR, NOISE = "clear", "within noise"


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """A comparison, its p-value and its interval corrected for all that were made beside it.

    `better` is the subject to prefer, None within noise. `rows_needed` would tell a difference as large as
    the one seen, `detectable` is the least that these rows would tell; None where nothing can be said."""

    comparison: Comparison
    word: str  # clear or within noise
    p: float
    better: str | None
    rows_needed: int | None
    detectable: float | None
    sentence: str


def verdicts(
    comparisons: Sequence[Comparison], *, alpha: float = ALPHA, lower_is_better: bool = False
) -> list[Verdict]:
    """One verdict for each comparison, in their order.

    Clear takes both: a corrected p-value below `alpha` and an interval without 0. Of several comparisons each
    interval has the level that Holm tests it at, so that number and word do not say different things."""
    values = [each.p for each in comparisons]
    many = len(comparisons) > 1
    return [
        _verdict(each.at(1 - level) if many else each, p, len(comparisons), alpha, lower_is_better)
        for each, p, level in zip(comparisons, holm(values), holm_levels(values, alpha), strict=True)
    ]


def _verdict(found: Comparison, p: float, count: int, alpha: float, lower_is_better: bool) -> Verdict:
    is_clear = p < alpha and not found.difference.holds(0)
    strict = alpha / count  # what Holm asks of the first of so many
    needed = None if is_clear else rows_needed(found.differences, strict)
    least = detectable(found.differences, strict)
    is_first = (found.difference.value > 0) != lower_is_better
    better = (found.first if is_first else found.second) if is_clear else None
    sentence = _clear(found, p, count, is_first) if is_clear else _noise(found, p, count, needed, least)
    return Verdict(found, CLEAR if is_clear else NOISE, p, better, needed, least, sentence)


def _clear(found: Comparison, p: float, count: int, is_first: bool) -> str:
    better, other = (found.first, found.second) if is_first else (found.second, found.first)
    seen = found.difference if is_first else turned(found.difference)
    return f"{better} is better than {other}: {_figures(found, seen, p, count)}."


def turned(difference: Estimate) -> Estimate:
    """The difference the other way round."""
    low, high = difference.low, difference.high
    return replace(
        difference,
        value=-difference.value,
        low=None if high is None else -high,
        high=None if low is None else -low,
    )


def _noise(found: Comparison, p: float, count: int, needed: int | None, least: float | None) -> str:
    rows = found.difference.rows
    if not found.differences.any():
        return f"{found.first} and {found.second} came out the same on each of {words.rows(rows)}."
    figures = _figures(found, found.difference, p, count, " for the first")
    said = [f"{found.first} and {found.second} cannot be told apart: {figures}."]
    if not found.difference.holds(0):
        said.append("The interval alone leaves 0 out; the test, which is stricter here, does not.")
    if needed is not None and needed > rows:
        said.append(f"If the difference is real, it takes {words.forecast(needed)} to show it.")
    if least is not None and not (found.is_share and least > 1):
        shown = words.amount(least, is_share=found.is_share)
        said.append(f"{words.rows(rows).capitalize()} only show differences of {shown} and more.")
    return " ".join([*said, "Choose by cost or speed, or measure on more rows."])


def _figures(found: Comparison, difference: Estimate, p: float, count: int, whose: str = "") -> str:
    """The difference, its interval, the p-value."""
    seen = f"{words.points(difference.value, is_share=found.is_share)}{whose}"
    if difference.low is not None and difference.high is not None:
        low, high = (words.points(end, is_share=found.is_share) for end in (difference.low, difference.high))
        ends = f"{low.removesuffix(' points')} to {high}"
        seen += f" ({words.level(difference.level)} interval {ends}, {words.rows(difference.rows)})"
    corrected = f", corrected for {count} comparisons" if count > 1 else ""
    return f"{seen}, p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}{corrected}"
