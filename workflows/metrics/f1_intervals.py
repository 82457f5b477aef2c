"""Intervals of F1 and Hamming loss, which are no means of rows: the figures of resampled rows. Seeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workflows.metrics import bootstrap
from workflows.metrics.intervals import LEVEL, Floats

RESAMPLES = 2_000
Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class F1Intervals:
    """Percentile bootstrap intervals. `labels` in their order, None for a label that no row has or is given;
    `figures` by name: macro_f1, weighted_f1, micro_f1, hamming_loss."""

    figures: dict[str, Ends]
    labels: list[Ends | None]


def intervals(true: Floats, said: Floats, outside: Floats, *, seed: int) -> F1Intervals:
    """`true` and `said` are 0 or 1, shape (rows, labels); `outside` counts the labels outside the set that
    each row was given, shape (rows,). Means are over the labels that a draw has, as those of the figures."""
    draws = np.random.default_rng(seed)
    rows, labels = true.shape
    true, said, outside, counts = alike(true, said, outside)
    both_have, wrong_cells = true * said, (true != said).sum(axis=1)
    drawn = []
    for size in bootstrap.parts(RESAMPLES, max(counts.size, labels)):
        times = draws.multinomial(rows, counts / rows, size).astype(float)
        support, hits = times @ true, times @ both_have
        both = support + times @ said
        # A label that a draw has not has no F1 there.
        f1 = np.divide(2 * hits, both, out=np.full_like(both, np.nan), where=both > 0)
        known, weight = np.nan_to_num(f1), support.sum(axis=1)
        micro = 2 * hits.sum(axis=1) / (both.sum(axis=1) + times @ outside)
        wrong = times @ wrong_cells / (rows * labels)
        means = known.sum(axis=1) / (both > 0).sum(axis=1), (known * support).sum(axis=1) / weight
        drawn.append(np.column_stack([*means, micro, wrong, f1]))
    found = np.concatenate(drawn)
    tail = bootstrap.tail_share(LEVEL, rows)
    names = ("macro_f1", "weighted_f1", "micro_f1", "hamming_loss")
    figures = {name: ends(found[:, at], tail) for at, name in enumerate(names)}
    each = (found[:, len(names) + at] for at in range(labels))
    return F1Intervals(figures, [None if np.isnan(one).all() else ends(one, tail) for one in each])


def alike(true: Floats, said: Floats, outside: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Rows that are alike as one, and how many they are, shape (different rows,): draws of rows are draws of
    these, and of 50,000 rows with one label each there are a few hundred."""
    packed = np.packbits(np.concatenate([true, said], axis=1).astype(bool), axis=1)
    keys = np.concatenate([packed.astype(float), outside[:, None]], axis=1)
    _, first, counts = np.unique(keys, axis=0, return_index=True, return_counts=True)
    return true[first], said[first], outside[first], counts.astype(float)


def ends(values: Floats, tail: float) -> Ends:
    """The quantiles of the draws that have the figure."""
    low, high = np.nanquantile(values, (tail, 1 - tail))
    return float(low), float(high)
