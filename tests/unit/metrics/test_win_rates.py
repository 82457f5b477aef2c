"""Intervals of win rates against sums over everything that the rows can come to."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest
from scipy.stats import binom

from workflows.metrics.win_rates import bounds, win_rate


@pytest.mark.parametrize(("wins", "rows"), [(4, 4), (17, 20), (45, 50), (130, 200), (700, 1000)])
def test_without_ties_the_ends_are_where_a_binomials_mid_p_tails_are(wins, rows):
    found = win_rate(wins, rows - wins, rows)
    half = binom.pmf(wins, rows, found.low) / 2
    assert binom.sf(wins, rows, found.low) + half == pytest.approx(0.025, abs=1e-9)
    if found.high < 1:
        half = binom.pmf(wins, rows, found.high) / 2
        assert binom.cdf(wins - 1, rows, found.high) + half == pytest.approx(0.025, abs=1e-9)


def test_a_few_rows_are_not_clear_before_chance_is_ruled_out():
    assert win_rate(4, 0, 4).holds(0.5)
    assert not win_rate(5, 0, 5).holds(0.5)


@pytest.mark.parametrize(("wins", "losses", "rows"), [(5, 1, 9), (0, 0, 12), (2, 7, 10), (6, 0, 8)])
def test_with_ties_the_tails_are_those_of_all_outcomes(wins, losses, rows):
    found = win_rate(wins, losses, rows)
    above = tail(wins, losses, rows, 2 * found.low - 1)
    below = 1 - tail(wins, losses, rows, 2 * found.high - 1)
    assert (above, below) == pytest.approx((0.025, 0.025), abs=1e-5)


def tail(wins, losses, rows, difference):
    """More wins less losses than seen, and half of as many: over all counts, ties at their likeliest."""
    most = (1 - difference) / 2
    chances = [(max(0.0, -difference) + at / 5_000 * (most - max(0.0, -difference))) for at in range(5_001)]
    loss = max(chances, key=lambda each: likelihood(wins, losses, rows, each + difference, each))
    found = 0.0
    for won, lost in product(range(rows + 1), repeat=2):
        if won + lost <= rows and won - lost >= wins - losses:
            ways = comb(rows, won) * comb(rows - won, lost)
            share = ways * likelihood(won, lost, rows, loss + difference, loss)
            found += share / 2 if won - lost == wins - losses else share
    return found


def likelihood(wins, losses, rows, win, loss):
    tie = max(0.0, 1 - win - loss)
    return float(win**wins * loss**losses * tie ** (rows - wins - losses))


def test_turned_round_it_has_the_ends_turned_round():
    one, other = win_rate(12, 5, 30), win_rate(5, 12, 30)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-9)


def test_ties_make_a_win_rate_steadier():
    decided, tied = win_rate(50, 50, 100), win_rate(10, 10, 100)
    assert decided.value == tied.value == 0.5
    assert tied.high - tied.low < (decided.high - decided.low) / 2


def test_ties_alone_leave_room_for_wins_that_were_not_seen():
    found = win_rate(0, 0, 50)
    assert found.low < 0.5 < found.high
    assert found.holds(0.5)
    assert not found.holds(0.6)


def test_arrays_give_what_single_counts_give():
    low, high = bounds([0, 3, 40], [0, 9, 2], 50)
    for at, pair in enumerate(((0, 0), (3, 9), (40, 2))):
        found = win_rate(*pair, 50)
        assert ((1 + low[at]) / 2, (1 + high[at]) / 2) == pytest.approx((found.low, found.high), abs=1e-12)


@pytest.mark.parametrize("counted", [(0, 0, 0), (3, 2, 4), (-1, 0, 4)])
def test_counts_that_cannot_be_are_refused(counted):
    with pytest.raises(ValueError, match="rows"):
        win_rate(*counted)
