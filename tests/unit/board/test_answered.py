"""Which answers are shown, and how scores are spread."""

from __future__ import annotations

import pytest

from sessions.answered import bins, numbers

pytestmark = pytest.mark.unit
MINE = {0: {"score": 0.9}, 1: {"score": 0.1}, 2: {"fault": "it hung"}, 3: {"score": 0.5}, 4: {"score": 0.5}}
BASE = {0: {"score": 0.2}, 1: {"score": 0.6}, 2: {"score": 1.0}, 3: {"score": 0.5}, 4: {"fault": "no score"}}


@pytest.mark.parametrize(
    ("show", "rows"),
    [("lowest", [1, 3, 4, 0]), ("improved", [0]), ("worsened", [1]), ("failed", [2])],
)
def test_rows_are_chosen_by_what_became_of_them(show: str, rows: list[int]) -> None:
    assert numbers(MINE, BASE, show) == rows


def test_scores_are_spread_over_ten_bins_with_both_ends() -> None:
    found = bins({at: {"score": value} for at, value in enumerate((0.0, 0.05, 0.1, 0.95, 1.0))})
    assert [each.rows for each in found] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert [each.share for each in found][:2] == [1.0, 0.5]


def test_nothing_scored_is_no_fault() -> None:
    assert sum(each.rows for each in bins({0: {"fault": "x"}})) == 0
    assert numbers({}, {}, "lowest") == []
