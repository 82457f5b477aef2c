"""Win rates of a judge asked in both orders: what is counted, what is said, and that the interval holds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.metrics.planted import Judge, held, judges, lattice, probabilities
from workflows.metrics.pairwise import Judged, Pick, summarize
from workflows.metrics.pairwise_words import sentences

WON, LOST = (Pick.FIRST, Pick.SECOND), (Pick.SECOND, Pick.FIRST)
SAME = "a text"
SIZES = (50, 200, 1000)


def rows(*counted, subject=SAME, baseline=SAME):
    return [Judged(subject, baseline, *picks) for picks, count in counted for _ in range(count)]


@pytest.mark.parametrize(
    ("picks", "outcome"),
    [
        (WON, (1, 0, 0)),
        (LOST, (0, 0, 1)),
        ((Pick.FIRST, Pick.FIRST), (0, 1, 0)),
        ((Pick.SECOND, Pick.SECOND), (0, 1, 0)),
        ((Pick.FIRST, Pick.TIE), (0, 1, 0)),
        ((Pick.TIE, Pick.TIE), (0, 1, 0)),
        ((Pick.INVALID, Pick.SECOND), (0, 0, 0)),
    ],
)
def test_a_row_is_won_or_lost_when_both_orders_agree(picks, outcome):
    found = summarize(rows((picks, 1)))
    assert (found.wins, found.ties, found.losses) == outcome


def test_invalid_verdicts_are_counted_and_their_rows_left_out():
    found = summarize(rows((WON, 3), ((Pick.INVALID, Pick.INVALID), 2), ((Pick.FIRST, Pick.INVALID), 1)))
    assert (found.rows, found.invalid_rows, found.invalid_verdicts) == (3, 3, 5)
    assert found.win_rate.value == 1
    assert "3 of 6 rows lack a valid verdict in some order and are left out." in sentences(found, "a", "b")


@pytest.mark.parametrize("judged", [[], rows(((Pick.INVALID, Pick.FIRST), 2))])
def test_without_a_valid_row_there_is_no_rate(judged):
    found = summarize(judged)
    assert (found.win_rate, found.flip_rate, found.first_preference, found.lengths) == (None,) * 4
    assert sentences(found, "a", "b") == [
        "No row has two valid verdicts: look at the judge's answers, or choose another judge."
    ]


def test_a_judge_that_follows_the_order_wins_nothing_for_anyone():
    found = summarize(rows(((Pick.FIRST, Pick.FIRST), 40)))
    assert (found.win_rate.value, found.flip_rate.value, found.first_preference.value) == (0.5, 1, 1)
    assert found.rows_needed is None
    assert " ".join(sentences(found, "a", "b")[1:]) == (
        "The order of the answers decided 100.0% of the rows, which count as ties: "
        "a stronger judge would settle more of them. "
        "The judge leans to the answer shown first. "
        "Had the rows that the order decided all gone one way, the win rate would be 0.0% or 100.0%: "
        "the interval takes that in."
    )


def test_nothing_is_clear_where_the_order_may_hide_the_other_side():
    """Narrow wins that the order hides, wide losses that it does not: without it, 65 % are won."""
    found = summarize(rows((LOST, 70), ((Pick.FIRST, Pick.FIRST), 130)))
    assert found.win_rate.value == 0.325
    assert (found.win_rate.low, found.win_rate.high) == (0.0, 0.65)
    assert not found.is_clear
    assert "Clearly" not in sentences(found, "a", "b")[0]


def test_a_lean_that_cannot_turn_the_result_leaves_it_clear():
    found = summarize(rows((WON, 160), (LOST, 20), ((Pick.FIRST, Pick.FIRST), 20)))
    assert not found.is_steady
    assert found.possible == (0.8, 0.9)
    assert found.is_clear


def test_an_order_that_makes_a_tie_of_a_win_has_decided_the_row():
    found = summarize(rows(((Pick.FIRST, Pick.TIE), 40)))
    assert (found.win_rate.value, found.flip_rate.value, found.first_preference.value) == (0.5, 1, 1)
    assert not found.is_steady


def test_a_judge_may_lean_to_the_second_answer():
    found = summarize(rows((WON, 40), ((Pick.SECOND, Pick.SECOND), 10)))
    assert found.first_preference.value == 0.4
    assert sentences(found, "a", "b")[1].startswith("The judge leans to the answer shown second.")


def test_the_result_says_what_was_found_on_how_many_rows():
    clear = summarize(rows((WON, 120), (LOST, 60), ((Pick.TIE, Pick.TIE), 20)))
    [said] = sentences(clear, "Candidate 3", "the base model")
    assert said == (
        "Candidate 3 against the base model: win rate 65.0% (95% interval 58.6% to 71.0%, 200 rows); "
        "120 won, 20 tied, 60 lost. Clearly above 50%."
    )
    noise = summarize(rows((WON, 60), (LOST, 50), ((Pick.TIE, Pick.TIE), 90)))
    assert noise.rows_needed == 1725  # (1.960 √0.55 + 0.842 √0.5475)² / 0.05²
    assert sentences(noise, "a", "b")[0].endswith(
        "Within noise of 50%. If it is real, it takes about 1,800 rows to show it."
    )
    assert "Clearly below 50%." in sentences(summarize(rows((LOST, 20), (WON, 3))), "a", "b")[0]


def test_lengths_stand_beside_the_win_rate():
    long, short = "seven words are more than just two", "two words"
    judged = rows((WON, 30), subject=long, baseline=short) + rows((LOST, 10), subject=short, baseline=long)
    judged += rows((WON, 5), subject=short, baseline=long) + rows((WON, 3), (LOST, 2))
    found = summarize(judged)
    assert found.lengths.longer.value == pytest.approx(40 / 45)
    assert found.lengths.longer.rows == 45
    assert found.lengths.winner_words == pytest.approx((40 * 7 + 10 * 2) / 50)
    assert found.lengths.loser_words == pytest.approx((40 * 2 + 5 * 7 + 5 * 2) / 50)
    assert found.lengths.winner_characters == pytest.approx(
        (40 * len(long) + 5 * len(short) + 5 * len(SAME)) / 50
    )
    assert found.lengths.loser_characters == pytest.approx(
        (40 * len(short) + 5 * len(long) + 5 * len(SAME)) / 50
    )
    assert sentences(found, "a", "b")[-1] == (
        "The longer answer won 88.9% of the decided rows (6 words on average against 2). "
        "Read some, to see whether it is better or only longer."
    )


def test_a_judge_may_like_short_answers_or_see_no_length_at_all():
    assert (
        "The shorter answer won 100.0%"
        in sentences(summarize(rows((LOST, 20), subject="far too long", baseline="short")), "a", "b")[-1]
    )
    assert summarize(rows((WON, 2))).lengths.longer is None


@pytest.mark.parametrize("size", SIZES)
def test_the_interval_holds_the_planted_truth_in_93_to_97_of_100_simulations(size):
    """1,000 simulations of each judge and size; how often its truth lies within. With many rows, where the
    interval is nearest to a normal curve's, only the corners; all of them in `benchmarks/coverage.py`."""
    draws = np.random.default_rng(size)
    corners = judges(truths=(0.5, 0.9), noises=(0.1, 1.0), biases=(0.0, 0.4))
    for judge in corners if size > 200 else judges():
        wins, _, losses = draws.multinomial(size, judge.chances(), 1000).T
        assert 0.93 <= held(judge, wins, losses, size).mean() <= 0.97, judge


@pytest.mark.parametrize("size", [50, 200])
def test_the_exact_coverage_lies_near_95(size):
    """The same without luck: summed over all that the rows can come to. Without a tie,
    which is noise 0, 50 rows have too few shares to come nearer."""
    wins, losses = lattice(size)
    for judge in judges(noises=(0.0, 0.1, 0.5, 1.0), biases=(0.4,)):
        chances = probabilities(judge, wins, losses, size)
        can_be = chances > 1e-9
        within = held(judge, wins[can_be], losses[can_be], size)
        assert 0.935 <= chances[can_be][within].sum() <= 0.962, judge


@pytest.mark.parametrize("bias", [0.0, 0.2, 0.4])
def test_position_bias_does_not_move_the_estimate(bias):
    judge = Judge(truth=0.7, noise=0.8, bias=bias)
    forward, backward = judge.verdicts(10_000, np.random.default_rng(1))
    found = summarize(
        [
            Judged(SAME, SAME, Pick.FIRST if one else Pick.SECOND, Pick.SECOND if other else Pick.FIRST)
            for one, other in zip(forward, backward, strict=True)
        ]
    )
    assert found.win_rate.value == pytest.approx(0.7, abs=0.015)
    assert forward.mean() == pytest.approx(
        0.7 + 0.8 * judge.shift, abs=0.015
    )  # what one order would have said
    assert (found.wins / 10_000, found.ties / 10_000, found.losses / 10_000) == pytest.approx(
        judge.chances(), abs=0.015
    )
