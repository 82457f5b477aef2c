"""A judge whose true preference is known. `benchmarks/coverage.py` asks it too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import lgamma

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workflows.metrics.intervals import LEVEL
from workflows.metrics.win_rates import above

Floats = NDArray[np.float64]
CASES_AT_ONCE = 256  # of 1,000 rows they take a few megabytes


@dataclass(frozen=True, slots=True)
class Judge:
    """`truth`: how often the subject is preferred. `noise`: the share of open rows, on which each verdict is
    drawn anew. `bias`: what the place shown first gains on open rows, as far as both sides have room.

    At truth 0.5, noise 1 and bias 0.5 the order decides all rows: all tie, and any interval holds."""

    truth: float
    noise: float
    bias: float

    @property
    def shift(self) -> float:
        return min(self.bias, self.truth, 1 - self.truth)

    def chances(self) -> tuple[float, float, float]:
        """Of a row: won, tied, lost."""
        decided, truth, gap = 1 - self.noise, self.truth, self.shift**2
        won = decided * truth + self.noise * (truth**2 - gap)
        lost = decided * (1 - truth) + self.noise * ((1 - truth) ** 2 - gap)
        return won, 1 - won - lost, lost

    def verdicts(self, rows: int, draws: np.random.Generator) -> NDArray[np.bool_]:
        """Shape (2, rows): whether the subject was preferred, shown first and shown second."""
        better = draws.random(rows) < self.truth
        is_open = draws.random(rows) < self.noise
        chances = np.array([[self.truth + self.shift], [self.truth - self.shift]])
        return np.where(is_open, draws.random((2, rows)) < chances, better)


def judges(
    truths: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9),
    noises: tuple[float, ...] = (0.1, 0.5, 1.0),
    biases: tuple[float, ...] = (0.0, 0.2, 0.4),
) -> Iterator[Judge]:
    return (Judge(*each) for each in product(truths, noises, biases))


def lattice(rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of wins and losses that `rows` can come to."""
    wins, losses = np.meshgrid(np.arange(rows + 1), np.arange(rows + 1))
    can_be = wins + losses <= rows
    return wins[can_be], losses[can_be]


def probabilities(judge: Judge, wins: NDArray[np.int64], losses: NDArray[np.int64], rows: int) -> Floats:
    """Of each pair of wins and losses, exactly: a multinomial."""
    logs = np.array([lgamma(count + 1) for count in range(rows + 1)])
    counts = (wins, rows - wins - losses, losses)
    found = logs[rows] - sum(logs[count] for count in counts)
    for count, chance in zip(counts, judge.chances(), strict=True):
        found = found + np.where(count == 0, 0.0, count * np.log(max(chance, 1e-300)))
    chances: Floats = np.exp(found)
    return chances


def held(judge: Judge, wins: ArrayLike, losses: ArrayLike, rows: int) -> NDArray[np.bool_]:
    """Whose interval holds the judge's truth, of shape (cases,); each pair of counts is worked out once."""
    counts, cases = np.unique(np.stack([wins, losses]).astype(float), axis=1, return_inverse=True)
    tail = (1 - LEVEL) / 2
    found = []
    for part in np.array_split(counts, -(-counts.shape[1] // CASES_AT_ONCE), axis=1):
        chance = above(part[0], part[1], rows, np.full(part.shape[1], 2 * judge.truth - 1))
        found.append((tail <= chance) & (chance <= 1 - tail))
    within: NDArray[np.bool_] = np.concatenate(found)[cases.ravel()]
    return within
