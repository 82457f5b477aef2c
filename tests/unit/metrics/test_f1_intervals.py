"""Intervals of F1 and Hamming loss against draws made one by one."""

from __future__ import annotations

import numpy as np
import pytest

from workflows.metrics import classification
from workflows.metrics.f1_intervals import alike, intervals
from workflows.metrics.intervals import Floats

NAMES = ("a", "b", "c")


def planted(rows: int) -> tuple[list[int], list[int]]:
    draw = np.random.default_rng(5)
    true = draw.integers(0, 3, rows)
    return true.tolist(), np.where(draw.random(rows) < 0.7, true, draw.integers(0, 3, rows)).tolist()


def cells(labels: list[int]) -> Floats:
    return np.eye(4)[labels]


def test_they_agree_with_figures_of_draws_made_one_by_one() -> None:
    true, said = planted(200)
    found = intervals(cells(true), cells(said), np.zeros(200), seed=1)
    draw = np.random.default_rng(9)
    each = []
    for _ in range(1000):
        rows = draw.integers(0, 200, 200)
        made = classification.classify([NAMES[true[at]] for at in rows], [NAMES[said[at]] for at in rows])
        each.append((made.macro.f1, made.weighted.f1, made.by_label["a"].f1))
    for at, ends in enumerate((found.figures["macro_f1"], found.figures["weighted_f1"], found.labels[0])):
        expected = np.quantile([one[at] for one in each], (0.025, 0.975))
        assert ends == pytest.approx(tuple(expected), abs=0.015)
    assert found.labels[3] is None


def test_the_same_seed_gives_the_same_ends_and_answers_outside_lower_micro_f1() -> None:
    true, said = planted(60)
    first = intervals(cells(true), cells(said), np.zeros(60), seed=3)
    assert intervals(cells(true), cells(said), np.zeros(60), seed=3) == first
    outside = intervals(cells(true), cells(said), np.ones(60), seed=3)
    assert outside.figures["micro_f1"][1] < first.figures["micro_f1"][1]
    low, high = first.figures["hamming_loss"]
    assert low < np.mean(cells(true) != cells(said)) < high


def test_rows_that_are_alike_are_drawn_together() -> None:
    """10,010 rows of 77 labels would be 20 million draws; they are of no more kinds than there are pairs."""
    true = np.eye(77)[np.arange(10_010) % 77]
    said = np.roll(true, 1, axis=1)
    said[::2] = true[::2]
    kinds, _, _, counts = alike(true, said, np.zeros(10_010))
    assert len(kinds) == 2 * 77
    assert counts.sum() == 10_010
    low, high = intervals(true, said, np.zeros(10_010), seed=1).figures["micro_f1"]
    assert 0.48 < low < 0.5 < high < 0.52


def test_the_order_of_the_rows_does_not_matter() -> None:
    true, said = (cells(each) for each in planted(60))
    outside = (np.arange(60) % 3 == 0).astype(float)
    turned = intervals(true[::-1], said[::-1], outside[::-1], seed=1)
    assert turned == intervals(true, said, outside, seed=1)
