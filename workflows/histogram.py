"""The lengths of samples as a picture: how many have about how many tokens."""

from __future__ import annotations

from functools import lru_cache

from workflows.charts import KEPT, SERIES, canvas, coloured, finished, style
from workflows.data.tokens import TokenStats

NARROW = 0.9  # of a bar's place


def draw_lengths(counted: TokenStats, *, literal: bool = False) -> str:
    """Samples by tokens, bars of doubling width. Empty when there are no samples."""
    bars = _filled(counted.histogram)
    return coloured(_lengths(bars), literal=literal) if bars else ""


@lru_cache(KEPT)
def _lengths(bars: tuple[tuple[int, int], ...]) -> str:
    with style("lengths"):
        figure, axes = canvas("tokens of a sample", "samples")
        figure.set_size_inches(7.6, 2.6)
        axes.bar(range(len(bars)), [rows for _, rows in bars], width=NARROW, color=SERIES[0])
        axes.set_xticks(range(len(bars)), [f"≤{bound:,}" for bound, _ in bars], rotation=30, ha="right")
        axes.grid(axis="x", visible=False)
        axes.set_axisbelow(True)
        return finished(figure, "lengths", "Samples by their number of tokens")


def _filled(histogram: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The bars from the first to the last that has samples."""
    there = [at for at, (_, rows) in enumerate(histogram) if rows]
    return histogram[there[0] : there[-1] + 1] if there else ()
