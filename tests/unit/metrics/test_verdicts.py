"""What comparisons come to in words, and how many rows would tell."""

from __future__ import annotations

import numpy as np
import pytest

from workflows.metrics.paired import compare, mcnemar
from workflows.metrics.power import detectable, rows_needed
from workflows.metrics.verdicts import verdicts


def outcomes(both, only_first, only_second, neither=0):
    first = [1] * both + [1] * only_first + [0] * only_second + [0] * neither
    second = [1] * both + [0] * only_first + [1] * only_second + [0] * neither
    return first, second


def one(both, only_first, only_second, **more):
    return verdicts(
        [compare("Candidate 2", "Candidate 1", *outcomes(both, only_first, only_second), seed=1)]
    )[0]


def test_a_clear_difference_names_the_better_one():
    found = one(150, 40, 10)
    assert (found.word, found.better, found.rows_needed) == ("clear", "Candidate 2", None)
    assert found.sentence == (
        "Candidate 2 is better than Candidate 1: +15.0 points "
        "(95% interval +8.4 to +21.9 points, 200 rows), p < 0.001."
    )


def test_the_better_one_may_be_the_second():
    assert one(150, 10, 40).better == "Candidate 1"
    assert one(150, 10, 40).sentence == (
        "Candidate 1 is better than Candidate 2: +15.0 points "
        "(95% interval +8.4 to +21.9 points, 200 rows), p < 0.001."
    )


def test_noise_says_how_many_rows_would_tell():
    found = one(170, 18, 12)
    assert (found.word, found.better) == ("within noise", None)
    assert found.sentence == (
        "Candidate 2 and Candidate 1 cannot be told apart: +3.0 points for the first "
        "(95% interval −2.5 to +8.7 points, 200 rows), p = 0.361. "
        "If the difference is real, it takes about 1,400 rows to show it. "
        "200 rows only show differences of 7.6 points and more. "
        "Choose by cost or speed, or measure on more rows."
    )
    assert found.rows_needed == 1306  # (1.960 √0.15 + 0.842 √0.1491)² / 0.03²


def test_one_difference_among_many_comparisons_may_be_chance():
    single = compare("a", "b", *outcomes(170, 22, 8), seed=1)
    same = compare("a", "c", *outcomes(170, 15, 15), seed=1)
    assert verdicts([single])[0].word == "clear"
    among = verdicts([single, same, same, same])
    assert [each.word for each in among] == ["within noise"] * 4
    assert "corrected for 4 comparisons" in among[0].sentence
    assert among[0].p == pytest.approx(4 * single.p)
    assert among[1].rows_needed is None


def test_an_interval_is_as_strict_as_the_correction():
    """+6.5 points: clear alone, noise among four, and the interval says the same."""
    single = compare("a", "b", *outcomes(170, 21, 8), seed=1)
    assert verdicts([single])[0].word == "clear"
    found = verdicts([single, *(compare("a", "c", *outcomes(170, 15, 15), seed=1) for _ in range(3))])[0]
    assert found.comparison.difference.holds(0)
    assert found.comparison.difference.level == pytest.approx(1 - 0.05 / 4)
    assert "(98.75% interval −" in found.sentence


def test_where_the_test_is_stricter_than_the_interval_the_sentence_says_so():
    single = compare("a", "b", *outcomes(170, 22, 8), seed=1)
    found = verdicts([single, *(compare("a", "c", *outcomes(170, 15, 15), seed=1) for _ in range(3))])
    assert (found[0].word, found[0].comparison.difference.holds(0)) == ("within noise", False)
    assert "The interval alone leaves 0 out" in found[0].sentence
    assert "The interval alone" not in found[1].sentence


def test_intervals_follow_holm_from_the_smallest_p_value_on():
    strong, weaker = (compare("a", "b", *outcomes(100, 40, lost), seed=1) for lost in (5, 20))
    levels = [each.comparison.difference.level for each in verdicts([weaker, strong])]
    assert levels == pytest.approx([0.95, 0.975])
    scores = np.random.default_rng(3).random((2, 30))
    assert len({verdicts([compare("a", "b", *scores, seed=1)] * n)[0].sentence for n in (1, 3)}) == 2


def test_a_low_p_value_does_not_make_a_difference_clear_while_the_interval_holds_zero():
    found = compare("a", "b", *outcomes(0, 14, 7), seed=1)
    assert found.p < 0.2
    assert found.difference.holds(0)
    assert verdicts([found], alpha=0.2)[0].word == "within noise"


def test_where_lower_is_better_the_lower_one_is_better():
    losses = np.linspace(1, 2, 30)
    found = verdicts([compare("a", "b", losses, losses + 0.1 + losses / 50, seed=1)], lower_is_better=True)[0]
    assert found.better == "a"
    assert found.sentence.startswith("a is better than b: −0.13 (95% ")


def test_subjects_that_came_out_the_same_are_said_to_be_the_same():
    found = one(3, 0, 0)
    assert (found.p, found.rows_needed, found.detectable) == (1.0, None, None)
    assert found.sentence == "Candidate 2 and Candidate 1 came out the same on each of 3 rows."


def test_a_single_row_says_little():
    found = verdicts([compare("a", "b", [0.5], [0.2], seed=1)])[0]
    assert found.sentence.startswith(
        "a and b cannot be told apart: +0.3 for the first, p = 1.000. Choose by cost"
    )


def test_no_forecast_is_below_what_the_test_can_tell():
    found = one(0, 3, 0)
    assert found.p == 0.25
    assert found.rows_needed == 6  # all of them for one side: p = 2 / 2^6
    assert mcnemar(5, 0)[0] > 0.05 > mcnemar(6, 0)[0]


def test_as_many_rows_as_are_needed_find_the_difference_four_times_in_five():
    chances = np.array([0.12, 0.06, 0.82])
    sample = np.repeat([1.0, -1.0, 0.0], (chances * 100).astype(int))
    rows = rows_needed(sample)
    drawn = np.random.default_rng(1).multinomial(rows, chances, 1000)
    found = np.mean([mcnemar(int(first), int(second))[0] < 0.05 for first, second, _ in drawn])
    assert found == pytest.approx(0.8, abs=0.04)  # a little below: the correction for continuity


def test_what_rows_can_detect_is_what_they_are_enough_for():
    differences = np.random.default_rng(2).normal(0, 1, 400)
    differences += 0.02 - differences.mean()
    least = detectable(differences)
    assert rows_needed(differences - differences.mean() + least) == pytest.approx(400, rel=0.02)
