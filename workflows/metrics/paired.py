"""Two subjects on the same rows: McNemar's test for right and wrong, a randomisation test for scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb, erfc, sqrt

import numpy as np
from numpy.typing import ArrayLike

from workflows.metrics import bootstrap
from workflows.metrics.intervals import LEVEL, Estimate, Floats, paired_difference

FEW = 25  # discordant rows below which the exact test is taken (Edwards 1948; usual since)
Test = tuple[float, str]  # p-value, which test


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The first subject against the second: the difference of their means with interval, and its p-value."""

    first: str
    second: str
    difference: Estimate
    p: float
    test: str
    differences: Floats  # of each row
    is_share: bool  # right and wrong, not scores
    seed: int

    def at(self, level: float) -> Comparison:
        """The same comparison with its interval at another level."""
        return replace(self, difference=_estimate(self.differences, self.is_share, self.seed, level))


def compare(
    first: str, second: str, values: ArrayLike, others: ArrayLike, *, seed: int, level: float = LEVEL
) -> Comparison:
    """Compare scores of two subjects, shape (rows,) each, the same rows in the same order.

    Scores of 0 and 1 are right and wrong: McNemar's test and Tango's interval. All others: a randomisation
    test and a bootstrap of the differences. Raises ValueError when the lengths differ, without rows, or for
    scores that are not finite."""
    ours, theirs = bootstrap.rows_of(values), bootstrap.rows_of(others)
    if ours.size != theirs.size:
        raise ValueError(f"{ours.size} and {theirs.size} rows cannot be paired: compare the rows both have")
    differences = ours - theirs
    is_share = bool(np.isin((ours, theirs), (0, 1)).all())
    p, test = mcnemar(*discordant(differences)) if is_share else randomisation(differences, seed=seed)
    difference = _estimate(differences, is_share, seed, level)
    return Comparison(first, second, difference, p, test, differences, is_share, seed)


def discordant(differences: Floats) -> tuple[int, int]:
    """How many rows only the first has right, and how many only the second."""
    return int((differences > 0).sum()), int((differences < 0).sum())


def _estimate(differences: Floats, is_share: bool, seed: int, level: float) -> Estimate:
    if is_share:
        return paired_difference(*discordant(differences), differences.size, level)
    return bootstrap.mean(differences, seed=seed, level=level)


def mcnemar(only_first: int, only_second: int) -> Test:
    """Two-sided p-value from the discordant rows (McNemar 1947, Psychometrika 12:153).

    Exact (binomial) below 25 of them, else chi-square with Edwards' continuity correction."""
    rows, fewer = only_first + only_second, min(only_first, only_second)
    if rows < FEW:
        tail = sum(comb(rows, count) for count in range(fewer + 1)) / 2**rows
        return min(1.0, 2 * tail), "McNemar, exact"
    away = max(abs(only_first - only_second) - 1, 0)
    return erfc(away / sqrt(2 * rows)), "McNemar, with continuity correction"


def randomisation(differences: ArrayLike, *, seed: int, resamples: int = bootstrap.RESAMPLES) -> Test:
    """Two-sided p-value of a mean difference, shape (rows,): of subjects that are alike, signs are chance.

    All signs are tried where there are no more than `resamples` ways, else so many are drawn and the seen one
    counts as one of them (Fisher 1935; Yeh 2000 for evaluations of language models)."""
    found = bootstrap.rows_of(differences)
    moved = found[found != 0]
    if not moved.size:
        return 1.0, "randomisation, exact"
    # Sums that are equal but for rounding are equal.
    seen = abs(moved.sum()) - 1e-9 * np.abs(moved).sum()
    if 2**moved.size <= resamples:
        ways = np.arange(2**moved.size)[:, None] >> np.arange(moved.size) & 1
        return float(np.mean(np.abs((2 * ways - 1) @ moved) >= seen)), "randomisation, exact"
    draws = np.random.default_rng(seed)
    extreme = sum(
        int(np.sum(np.abs((2 * draws.integers(0, 2, (size, moved.size), np.int8) - 1) @ moved) >= seen))
        for size in bootstrap.parts(resamples, moved.size)
    )
    return (1 + extreme) / (1 + resamples), f"randomisation, {resamples:,} draws"


def holm(values: Sequence[float]) -> list[float]:
    """p-values of several comparisons, corrected so that one false alarm among all stays as rare as in one
    (Holm 1979, Scand. J. Stat. 6:65). In the order they came."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, largest = [0.0] * len(values), 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[at]))
        corrected[at] = largest
    return corrected


def holm_levels(values: Sequence[float], alpha: float) -> list[float]:
    """The chance of a false alarm that Holm leaves each comparison, in their order: `alpha` by those that are
    not yet rejected, and for all that are not what the first of them was held to. An interval at 1 less that
    leaves 0 out where the corrected p-value is below `alpha`, but for what interval and test differ by."""
    order = sorted(range(len(values)), key=values.__getitem__)
    levels, allowed = [0.0] * len(values), 0.0
    is_rejected = True
    for rank, at in enumerate(order):
        if is_rejected:
            allowed = alpha / (len(values) - rank)
            is_rejected = values[at] < allowed
        levels[at] = allowed
    return levels
