"""Targets: met, not met, too close to call."""

from __future__ import annotations

import numpy as np
import pytest

from workflows.metrics.intervals import Estimate, wilson
from workflows.metrics.target import reached


def estimate(value, low, high, rows=200):
    return Estimate(value, rows, low, high, "Wilson score")


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.71, 0.9, "met"),
        (0.7, 0.9, "met"),
        (0.69, 0.9, "too close to call"),
        (0.5, 0.7, "too close to call"),
        (0.5, 0.69, "not met"),
    ],
)
def test_the_interval_decides(low, high, word):
    assert reached(0.7, estimate((low + high) / 2, low, high)).word == word


@pytest.mark.parametrize(
    ("low", "high", "word"), [(1, 1.5, "met"), (1.4, 1.6, "too close to call"), (1.6, 2, "not met")]
)
def test_of_a_loss_the_lower_is_better(low, high, word):
    found = reached(1.5, estimate((low + high) / 2, low, high), lower_is_better=True, is_share=False)
    assert found.word == word
    assert found.sentence.endswith(f"the target of 1.5 is {word}.") or word == "too close to call"


def test_what_is_too_close_says_how_many_rows_would_tell():
    assert reached(0.7, wilson(148, 200)).sentence == (
        "74.0% (95% interval 67.5% to 79.6%, 200 rows): the target of 70.0% is too close to call. "
        "If the value is right, it takes about 940 rows to tell."
    )
    assert reached(0.74, wilson(148, 200)).rows_needed is None


def test_the_forecast_finds_the_target_met_four_times_in_five():
    rows = reached(0.7, wilson(148, 200)).rows_needed
    right = np.random.default_rng(1).binomial(rows, 0.74, 500)
    met = np.mean([reached(0.7, wilson(int(count), rows)).word == "met" for count in right])
    assert met == pytest.approx(0.8, abs=0.05)


def test_without_an_interval_nothing_is_decided():
    found = reached(0.7, Estimate(0.9, 1, None, None, "no interval: one row"))
    assert (found.word, found.rows_needed) == ("too close to call", None)
    assert found.sentence == "90.0% (no interval: one row): the target of 70.0% is too close to call."
