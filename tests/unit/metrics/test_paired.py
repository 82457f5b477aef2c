"""Tests of paired rows, against scipy, each other, and the definition of a closed test."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2, permutation_test

from workflows.metrics import paired

discordant = st.tuples(st.integers(0, 80), st.integers(0, 80))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(discordant)
def test_mcnemar_is_exact_below_25_discordant_rows_and_continuity_corrected_above(pair):
    first, second = pair
    p, test = paired.mcnemar(first, second)
    if first + second < 25:
        assert test == "McNemar, exact"
        expected = binomtest(first, first + second).pvalue if first + second else 1.0
    else:
        assert test == "McNemar, with continuity correction"
        expected = chi2.sf(max(abs(first - second) - 1, 0) ** 2 / (first + second), 1)
    assert p == pytest.approx(expected, abs=1e-12)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.tuples(st.integers(0, 6), st.integers(0, 6)), st.integers(0, 3))
def test_randomisation_of_right_and_wrong_is_the_exact_mcnemar_test(pair, same):
    first, second = pair
    differences = [1] * first + [-1] * second + [0] * same or [0]
    assert paired.randomisation(differences, seed=1) == (
        pytest.approx(paired.mcnemar(first, second)[0]),
        "randomisation, exact",
    )


def test_randomisation_equals_scipy():
    draws = np.random.default_rng(3)
    few, many = draws.normal(0.5, 1, 10), draws.normal(0.12, 1, 100)
    for values, within in ((few, 1e-12), (many, 0.02)):
        p, _ = paired.randomisation(values, seed=1)
        expected = permutation_test((values,), np.mean, permutation_type="samples", rng=1).pvalue
        assert p == pytest.approx(expected, abs=within)
    assert paired.randomisation(many, seed=1) == paired.randomisation(many, seed=1)
    assert paired.randomisation(many, seed=1)[1] == "randomisation, 10,000 draws"


def test_an_exact_randomisation_counts_equal_sums_as_equal():
    assert paired.randomisation([0.1, 0.2, -0.3], seed=1)[0] == 1.0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_all_intersections(values):
    """A comparison falls when every set that holds it falls by Bonferroni."""
    expected = [
        max(
            min(1.0, len(group) * min(values[at] for at in group))
            for size in range(1, len(values) + 1)
            for group in combinations(range(len(values)), size)
            if each in group
        )
        for each in range(len(values))
    ]
    assert paired.holm(values) == pytest.approx(expected)


def test_right_and_wrong_are_compared_by_counts():
    found = paired.compare("a", "b", [1, 1, 1, 0], [1, 0, 0, 0], seed=1)
    assert found.is_share
    assert (found.difference.value, found.difference.method) == (0.5, "Tango score")
    assert (found.p, found.test) == (0.5, "McNemar, exact")


def test_scores_are_compared_by_resampling_rows():
    draws = np.random.default_rng(4)
    shared = draws.random(200)
    found = paired.compare("a", "b", shared + 0.05, shared + draws.normal(0, 0.1, 200), seed=1)
    assert not found.is_share
    assert found.difference.method == "BCa bootstrap"
    assert 0 < found.difference.low < 0.05 < found.difference.high
    assert found.p < 0.001


def test_rows_that_cannot_be_paired_are_refused():
    with pytest.raises(ValueError, match="cannot be paired"):
        paired.compare("a", "b", [1, 0], [1], seed=1)
