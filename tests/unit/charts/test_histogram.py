"""The picture of lengths: a bar for each width that has samples, in the theme's colours."""

from workflows.data.tokens import stats
from workflows.histogram import _lengths, draw_lengths


def test_bars_and_the_same_bytes() -> None:
    counted = stats([20, 30, 500, 500])
    drawn = draw_lengths(counted)
    assert drawn.count("≤") == 5
    assert "≤16<" not in drawn
    assert "var(--chart-1" in drawn
    _lengths.cache_clear()
    assert drawn == draw_lengths(counted)
    assert "var(" not in draw_lengths(counted, literal=True)


def test_nothing_is_no_picture() -> None:
    assert draw_lengths(stats([])) == ""
