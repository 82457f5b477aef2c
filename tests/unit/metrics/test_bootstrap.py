"""Bootstrap intervals, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workflows.metrics import bootstrap

DRAWS = np.random.default_rng(5)
SKEWED = DRAWS.beta(8, 1, 60)
LEVELS = DRAWS.choice([0.0, 0.25, 0.5, 1.0], 80, p=[0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("values", [SKEWED, LEVELS], ids=["skewed", "four levels"])
@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_ends_are_those_of_scipy_but_for_the_draws(values, method):
    found = bootstrap.mean(values, seed=1, method=method)
    level = 1 - 2 * bootstrap.tail_share(0.95, values.size)
    drawn = stats.bootstrap((values,), np.mean, method=method, confidence_level=level, rng=2)
    expected = drawn.confidence_interval
    noise = np.std(values) / np.sqrt(values.size) / 10  # of an end, at 10,000 draws
    assert found.low == pytest.approx(expected.low, abs=noise)
    assert found.high == pytest.approx(expected.high, abs=noise)
    assert found.value == pytest.approx(values.mean())
    assert found.rows == values.size


@pytest.mark.parametrize(("rows", "within"), [(5, 0.003), (10, 3e-4), (50, 1e-5), (10_000, 1e-6)])
def test_few_rows_widen_an_interval_as_students_t_does(rows, within):
    expected = stats.norm.cdf(-stats.t.ppf(0.975, rows - 1) * np.sqrt(rows / (rows - 1)))
    assert bootstrap.tail_share(0.95, rows) == pytest.approx(expected, abs=within)


def test_skew_moves_both_ends_to_the_long_tail():
    plain, corrected = (bootstrap.mean(SKEWED[:25], seed=1, method=each) for each in ("percentile", "BCa"))
    assert corrected.low < plain.low
    assert corrected.high < plain.high


def test_the_seed_decides_the_ends():
    assert bootstrap.mean(SKEWED, seed=7) == bootstrap.mean(SKEWED, seed=7)
    assert bootstrap.mean(SKEWED, seed=7).low != bootstrap.mean(SKEWED, seed=8).low


def test_means_are_drawn_in_parts_that_fit_into_memory():
    assert list(bootstrap.parts(25, 100_000)) == [10, 10, 5]
    assert bootstrap.resampled_means(np.arange(300_000.0), 5, 1).shape == (5,)


@pytest.mark.parametrize("values", [[1, 0, 1, 1], [1, 1, 1], [0]])
def test_scores_that_are_right_or_wrong_have_wilsons_interval(values):
    found = bootstrap.score_mean(values, seed=1)
    assert found.method == "Wilson score"
    assert found.high - found.low > 0.3


def test_other_scores_have_a_bootstrap_interval():
    assert bootstrap.score_mean([0.5, 0, 1, 1], seed=1).method == "BCa bootstrap"


@pytest.mark.parametrize(("values", "why"), [([0.3], "one row"), ([0.3, 0.3], "all rows are equal")])
def test_resampling_says_nothing_of_equal_rows(values, why):
    found = bootstrap.score_mean(values, seed=1)
    assert (found.value, found.low, found.high) == (pytest.approx(0.3), None, None)
    assert found.method == f"no interval: {why}"


@pytest.mark.parametrize(("values", "why"), [([], "no rows"), ([0.5, float("nan")], "not a number")])
def test_what_has_no_mean_is_refused(values, why):
    with pytest.raises(ValueError, match=why):
        bootstrap.score_mean(values, seed=1)


def test_other_methods_are_refused():
    with pytest.raises(ValueError, match="use BCa or percentile"):
        bootstrap.mean([0.1, 0.2], seed=1, method="basic")
