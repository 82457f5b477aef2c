"""How many rows it takes to tell a difference, and which difference given rows can tell."""

from __future__ import annotations

from math import ceil, log2, sqrt
from statistics import NormalDist

import numpy as np

from workflows.metrics.intervals import Floats, normal_quantile

ALPHA = 0.05  # the chance of calling noise a difference
POWER = 0.8  # the chance of finding a difference that is there


def rows_needed(differences: Floats, alpha: float = ALPHA, power: float = POWER) -> int | None:
    """How many rows would tell a mean difference as large as that of `differences`, shape (rows,).

    For right and wrong (differences of -1, 0, 1) this is Connor's figure (1987, Biometrics 43:207): the mean
    square is the rate of discordant rows. Never fewer than the tests here can tell anything from: k rows that
    all differ in one direction have a p-value of 2 / 2^k. None for a mean of 0, which no number of rows tells
    from nothing, and for a single row, which says nothing of the spread of others."""
    mean, square = float(differences.mean()), float((differences**2).mean())
    if mean == 0 or differences.size == 1:
        return None
    spread = normal_quantile(1 - alpha) * sqrt(square) + _z(power) * sqrt(max(square - mean * mean, 0.0))
    least = ceil(log2(2 / alpha)) / float(np.mean(differences != 0))
    return ceil(max((spread / mean) ** 2, least))


def detectable(differences: Floats, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """The smallest mean difference that as many rows, differing as much from each other, would tell.

    None where the rows do not differ: they say nothing of the spread of others."""
    spread = float(differences.std())
    if spread == 0:
        return None
    return (normal_quantile(1 - alpha) + _z(power)) * spread / sqrt(differences.size)


def _z(share: float) -> float:
    return NormalDist().inv_cdf(share)
