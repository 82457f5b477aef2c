"""Intervals of means by resampling the rows: for any scores. Seeded: same inputs, same ends."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from workflows.metrics.intervals import LEVEL, Estimate, Floats, normal_quantile, wilson

RESAMPLES = 10_000
_CELLS = 1_000_000  # of an array of draws: 8 MB at a time
_NORMAL = NormalDist()


def score_mean(values: ArrayLike, *, seed: int, level: float = LEVEL) -> Estimate:
    """The mean of an evaluator's scores, shape (rows,): with Wilson's interval if all are 0 or 1, else BCa.

    Raises ValueError without values, or when one is not finite."""
    found = rows_of(values)
    if np.isin(found, (0, 1)).all():
        return wilson(int(found.sum()), found.size, level)
    return mean(found, seed=seed, level=level)


def mean(
    values: ArrayLike,
    *,
    seed: int,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    method: str = "BCa",
) -> Estimate:
    """The mean of `values`, shape (rows,), with its bootstrap interval.

    "BCa" corrects bias and skew (Efron 1987, J. Am. Stat. Assoc. 82:171), "percentile" takes the quantiles as
    they are. Both are wider at few rows, where resampling shows less spread than there is (Hesterberg 2015,
    Am. Stat. 69:371). There is no interval where all values are equal, nor of a single one: resampling shows
    nothing. Raises ValueError without values, when one is not finite, or for another method."""
    if method not in ("BCa", "percentile"):
        raise ValueError(f"{method} is no bootstrap interval here: use BCa or percentile")
    found = rows_of(values)
    value = float(found.mean())
    if np.ptp(found) == 0:
        why = "no interval: one row" if found.size == 1 else "no interval: all rows are equal"
        return Estimate(value, found.size, None, None, why, level)
    means = resampled_means(found, resamples, seed)
    tail = tail_share(level, found.size)
    shares = (tail, 1 - tail)
    if method == "BCa":
        shares = _corrected(found, means, value, shares)
    low, high = (float(end) for end in np.quantile(means, shares))
    return Estimate(value, found.size, low, high, f"{method} bootstrap", level)


def tail_share(level: float, rows: int) -> float:
    """The share of resampled means to leave at each end: below (1 - level) / 2, the fewer the rows the more.

    It is a normal's beyond Student's quantile, by the expansion of Fisher & Cornish (1960)."""
    z, free = normal_quantile(level), max(rows - 1, 1)
    t = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return _NORMAL.cdf(-t * sqrt(rows / free))


def resampled_means(values: Floats, resamples: int, seed: int) -> Floats:
    """Means of `resamples` draws of as many rows with replacement, shape (resamples,)."""
    draws = np.random.default_rng(seed)
    means = [
        values[draws.integers(0, values.size, (size, values.size), np.int32)].mean(axis=1)
        for size in parts(resamples, values.size)
    ]
    return np.concatenate(means)


def parts(count: int, width: int) -> Iterator[int]:
    """`count` rows of `width` cells in parts that fit into memory."""
    most = max(1, _CELLS // width)
    for start in range(0, count, most):
        yield min(most, count - start)


def rows_of(values: ArrayLike) -> Floats:
    """`values` as floats of shape (rows,). Raises ValueError without values, or when one is not finite."""
    found = np.asarray(values, dtype=float).ravel()
    if not found.size:
        raise ValueError("the mean of no rows is not defined: measure at least one row")
    if not np.isfinite(found).all():
        raise ValueError("a score is not a number: leave rows without a score out and count them")
    return found


def _corrected(
    values: Floats, means: Floats, value: float, shares: tuple[float, float]
) -> tuple[float, float]:
    """The shares of the resampled means at which BCa ends lie."""
    # Half of the means that equal the sample's count as below it, so that few distinct values cause no bias.
    below = (np.mean(means < value) + np.mean(means <= value)) / 2
    edge = 0.5 / means.size
    bias = _NORMAL.inv_cdf(min(max(float(below), edge), 1 - edge))
    away = values - value
    skew = float(np.sum(away**3) / (6 * np.sum(away**2) ** 1.5))

    def corrected(share: float) -> float:
        at = bias + _NORMAL.inv_cdf(share)
        return _NORMAL.cdf(bias + at / (1 - skew * at))

    return corrected(shares[0]), corrected(shares[1])
