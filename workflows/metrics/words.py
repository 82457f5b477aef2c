"""Numbers as the sentences of verdicts say them."""

from __future__ import annotations

from math import floor, log10

from workflows.metrics.intervals import Estimate

MOST_ROWS = 1_000_000  # beyond which nobody measures


def figure(value: float, *, is_share: bool) -> str:
    """0.705 as `70.5%` where it is a share, else three digits."""
    return f"{100 * value:.1f}%" if is_share else f"{value:.3g}"


def points(value: float, *, is_share: bool) -> str:
    """A difference with its sign: `+3.0 points` between shares, else three digits."""
    return f"{'−' if value < 0 else '+'}{amount(abs(value), is_share=is_share)}"


def amount(value: float, *, is_share: bool) -> str:
    """The size of a difference: `3.0 points` between shares, else three digits."""
    return f"{100 * value:.1f} points" if is_share else f"{value:.3g}"


def rows(count: int) -> str:
    """`1 row`, `2,000 rows`."""
    return "1 row" if count == 1 else f"{count:,} rows"


def forecast(count: int) -> str:
    """`about 1,400 rows`: two digits, since more would claim a precision that such a forecast has not."""
    if count > MOST_ROWS:
        return f"more than {MOST_ROWS:,} rows"
    unit = 10 ** max(0, floor(log10(count)) - 1)
    return f"about {rows(-(-count // unit) * unit)}"


def level(value: float) -> str:
    """0.95 as `95%`, 0.99167 as `99.17%`."""
    return f"{100 * value:.4g}%"


def interval(estimate: Estimate, *, is_share: bool) -> str:
    """`65.0% (95% interval 58.1% to 71.3%, 200 rows)`, or without the interval why there is none."""
    value = figure(estimate.value, is_share=is_share)
    if estimate.low is None or estimate.high is None:
        return f"{value} ({estimate.method})"
    ends = " to ".join(figure(end, is_share=is_share) for end in (estimate.low, estimate.high))
    return f"{value} ({level(estimate.level)} interval {ends}, {rows(estimate.rows)})"
