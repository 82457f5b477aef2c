"""Loss curves: cleaning, smoothing, thinning, evaluation passes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.metrics import losses

POINTS = [
    {"step": 1, "train_loss": 3.0, "lr": 1e-4},
    {"step": 2, "train_loss": 2.0},
    {"step": 2, "eval_loss": 2.5},
    {"step": 3, "train_loss": 1.0},
    {"step": 4, "train_loss": None},
    {"step": 4, "eval_loss": 2.0},
    {"train_loss": 9.0},
    {"step": 5, "train_loss": math.nan},
    {"step": 6, "eval_loss": 2.25},
]


def test_a_curve_holds_steps_with_values():
    assert losses.curve(POINTS) == [(1, 3.0), (2, 2.0), (3, 1.0)]
    assert losses.curve(POINTS, "lr") == [(1, 1e-4)]


def test_a_step_written_again_counts_once_with_its_later_value():
    assert losses.curve(
        [{"step": 2, "train_loss": 2}, {"step": 1, "train_loss": 3}, {"step": 2, "train_loss": 1}]
    ) == [(1, 3.0), (2, 1.0)]


def test_passes_are_epochs_in_order():
    passes = losses.evaluations(POINTS)
    assert [(each.epoch, each.step, each.loss) for each in passes] == [(1, 2, 2.5), (2, 4, 2.0), (3, 6, 2.25)]
    assert losses.best(passes).epoch == 2
    assert losses.overfits(passes)
    assert not losses.overfits(passes[:2])


def test_passes_without_a_step_stay_apart():
    passes = losses.evaluations([{"eval_loss": 2.0}, {"eval_loss": 1.0}])
    assert [(each.epoch, each.step, each.loss) for each in passes] == [(1, None, 2.0), (2, None, 1.0)]


def test_a_pass_done_again_counts_once():
    assert [
        each.loss
        for each in losses.evaluations([{"step": 5, "eval_loss": 2.0}, {"step": 5, "eval_loss": 1.5}])
    ] == [1.5]


def test_no_passes_have_no_best_and_equals_go_to_the_earlier():
    assert losses.best([]) is None
    assert not losses.overfits([])
    same = losses.evaluations([{"step": 1, "eval_loss": 1.0}, {"step": 2, "eval_loss": 1.0}])
    assert losses.best(same).epoch == 1


def test_perplexity():
    assert losses.perplexity(0.0) == 1.0
    assert losses.Evaluation(1, 1, 2.0).perplexity == pytest.approx(7.389056, rel=1e-6)
    assert losses.perplexity(1e6) == math.inf


curves = st.lists(st.floats(-100, 100), min_size=1, max_size=50).map(lambda values: list(enumerate(values)))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(curves, st.floats(0, 0.99))
def test_smoothing_stays_within_the_values_and_keeps_the_steps(values, weight):
    smoothed = losses.smooth(values, weight)
    assert [step for step, _ in smoothed] == [step for step, _ in values]
    low, high = min(v for _, v in values), max(v for _, v in values)
    assert all(low - 1e-9 <= value <= high + 1e-9 for _, value in smoothed)
    assert smoothed[0][1] == pytest.approx(values[0][1])


def test_smoothing_by_hand():
    assert losses.smooth([(1, 1.0), (2, 3.0)], 0.5) == [(1, 1.0), (2, pytest.approx((0.25 + 1.5) / 0.75))]
    assert losses.smooth([(1, 1.0), (2, 3.0)], 0) == [(1, 1.0), (2, 3.0)]
    with pytest.raises(ValueError, match="below 1"):
        losses.smooth([], 1.0)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(curves, st.integers(1, 20))
def test_thinning_keeps_the_end_and_the_mean_of_equal_stretches(values, most):
    thinned = losses.thin(values, most)
    assert len(thinned) == min(most, len(values))
    assert thinned[-1][0] == values[-1][0]


def test_thinning_by_hand():
    assert losses.thin([(1, 1.0), (2, 3.0), (3, 5.0), (4, 7.0)], 2) == [(2, 2.0), (4, 6.0)]
    with pytest.raises(ValueError, match="at least one"):
        losses.thin([], 0)


def test_the_final_loss_is_a_mean_of_the_last_values():
    values = [(step, float(step)) for step in range(1, 21)]
    assert losses.final(values) == 15.5
    assert losses.final(values[:2]) == 1.5
    assert losses.final([]) is None


def test_epochs_from_steps():
    assert losses.epoch_of(50, 100, 3) == 1.5
    assert losses.epoch_of(150, 100, 3) == 3.0
    with pytest.raises(ValueError, match="without steps"):
        losses.epoch_of(1, 0, 3)
