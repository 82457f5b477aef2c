"""Intervals of shares and of their differences: score intervals, which hold at few rows and near 0 and 1.

A plain count of successes takes Wilson's interval, a difference on the same rows Tango's. Win rates have
a module of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
LEVEL = 0.95
_HALVINGS = 45  # of an interval 2 wide: to 1e-13


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value, the rows it rests on, and its interval; without one, `method` says why."""

    value: float
    rows: int
    low: float | None
    high: float | None
    method: str
    level: float = LEVEL

    def holds(self, value: float) -> bool:
        """Whether `value` lies in the interval; nothing is excluded where there is none."""
        return self.low is None or self.high is None or self.low <= value <= self.high


def normal_quantile(level: float) -> float:
    """The z that a standard normal stays within by probability `level`: 1.96 for 0.95.

    Raises ValueError unless 0 < level < 1."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(successes: int, rows: int, level: float = LEVEL) -> Estimate:
    """Score interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22:209).

    Raises ValueError without rows, or when there are more successes than rows."""
    counted(successes, rows - successes, rows)
    z, share = normal_quantile(level), successes / rows
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2)
    # Rounding must not push an end past a share that was seen, which at 0 and 1 is the end itself.
    low, high = max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))
    return Estimate(share, rows, low, high, "Wilson score", level)


def paired_difference(only_first: int, only_second: int, rows: int, level: float = LEVEL) -> Estimate:
    """The difference of two shares on the same rows, first minus second (Tango 1998, Stat. Med. 17:891).

    `only_first` counts the rows that only the first has right, `only_second` those that only the second has.
    Raises ValueError without rows, or when the counts pass them."""
    counted(only_first, only_second, rows)
    low, high = (float(end) for end in difference_bounds(only_first, only_second, rows, level))
    return Estimate((only_first - only_second) / rows, rows, low, high, "Tango score", level)


def difference_bounds(
    only_first: ArrayLike, only_second: ArrayLike, rows: int, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Both ends of `paired_difference` for arrays of counts, any one shape."""
    first, second = np.broadcast_arrays(np.asarray(only_first, float), np.asarray(only_second, float))
    z, seen = normal_quantile(level), (first - second) / rows
    low = halve(np.full(seen.shape, -1.0), seen, lambda at: _score(first, second, rows, at) > z)
    high = halve(seen, np.full(seen.shape, 1.0), lambda at: _score(first, second, rows, at) >= -z)
    return low, high


def halve(low: Floats, high: Floats, is_below: Callable[[Floats], NDArray[np.bool_]]) -> Floats:
    """Where `is_below` turns from true to false between `low` and `high`, element by element."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = is_below(middle)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def _score(first: Floats, second: Floats, rows: int, difference: Floats) -> Floats:
    """How many standard errors the counts lie above a true `difference`; the standard error is that of the
    likeliest chances with this very difference."""
    chance = likeliest_loss(first, second, rows, difference)
    variance = np.maximum(rows * (2 * chance + difference * (1 - difference)), np.finfo(float).tiny)
    score: Floats = (first - second - rows * difference) / np.sqrt(variance)
    return score


def likeliest_loss(first: Floats, second: Floats, rows: int, difference: Floats) -> Floats:
    """The likeliest chance q of "only the second" under a true `difference` d: with b and c the counts, where
    2 n q^2 + ((2 n - b + c) d - b - c) q - c d (1 - d) = 0."""
    linear = (2 * rows - first + second) * difference - first - second
    constant = -second * difference * (1 - difference)
    root = np.sqrt(np.maximum(linear * linear - 8 * rows * constant, 0))
    chance: Floats = (root - linear) / (4 * rows)
    return chance


def counted(first: int, second: int, rows: int) -> None:
    """Raises ValueError for counts that cannot be."""
    if rows < 1:
        raise ValueError("a share of no rows is not defined: measure at least one row")
    if first < 0 or second < 0 or first + second > rows:
        raise ValueError(f"{first} and {second} rows of {rows} cannot be: count each row once")
