"""Intervals of shares, against scipy and against likelihoods that are maximised here."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest

from workflows.metrics import intervals

counts = st.integers(1, 400).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))


@st.composite
def outcomes(draw):
    rows = draw(st.integers(1, 300))
    wins = draw(st.integers(0, rows))
    return wins, draw(st.integers(0, rows - wins)), rows


@settings(max_examples=40, deadline=None, derandomize=True)
@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_equals_scipy(count, level):
    successes, rows = count
    found = intervals.wilson(successes, rows, level)
    expected = binomtest(successes, rows).proportion_ci(level, method="wilson")
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert found.low <= found.value <= found.high
    assert found.rows == rows


@settings(max_examples=40, deadline=None, derandomize=True)
@given(outcomes())
def test_ends_lie_where_the_likeliest_chances_make_the_seen_difference_just_too_rare(counted):
    first, second, rows = counted
    found = intervals.paired_difference(first, second, rows)
    for end in (found.low, found.high):
        if abs(end) < 0.999:
            assert abs(standard_errors_away(first, second, rows, end)) == pytest.approx(1.959964, abs=2e-3)
    assert found.low <= found.value <= found.high


def standard_errors_away(first, second, rows, difference):
    """The score statistic, its nuisance chance found by search instead of by formula."""

    def surprise(chance):
        chances = np.array([chance + difference, chance, 1 - difference - 2 * chance])
        seen = np.array([first, second, rows - first - second])
        return -float(np.sum(seen * np.log(np.maximum(chances, 1e-300))))

    bounds = (max(0.0, -difference), (1 - difference) / 2)
    chance = minimize_scalar(surprise, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    return (first - second - rows * difference) / sqrt(rows * (2 * chance + difference - difference**2))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(outcomes())
def test_a_difference_turned_round_has_the_ends_turned_round(counted):
    first, second, rows = counted
    one, other = (intervals.paired_difference(*each, rows) for each in ((first, second), (second, first)))
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


def test_arrays_give_what_single_counts_give():
    low, high = intervals.difference_bounds([0, 3, 40], [0, 9, 2], 50)
    for at, pair in enumerate(((0, 0), (3, 9), (40, 2))):
        found = intervals.paired_difference(*pair, 50)
        assert (low[at], high[at]) == (found.low, found.high)


def test_nothing_is_excluded_without_an_interval():
    assert intervals.Estimate(0.5, 1, None, None, "no interval: one row").holds(0.9)


@pytest.mark.parametrize("counted", [(0, 0, 0), (3, 2, 4), (-1, 0, 4)])
def test_counts_that_cannot_be_are_refused(counted):
    with pytest.raises(ValueError, match="rows"):
        intervals.paired_difference(*counted)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_outside_is_refused(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        intervals.wilson(1, 2, level)
