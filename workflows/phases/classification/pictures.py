"""The confusion matrix as a picture: true labels down, answers across, darker where more rows are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workflows.charts import GRID, INK, KEPT, SENTINELS, canvas, coloured, finished, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMED = 40  # labels that are written at the axes; more would cover each other
WRITTEN = 20  # labels up to which every cell has its number
RIGHT, WRONG = SENTINELS["chart-3"], SENTINELS["chart-2"]
OUTSIDE = "outside"


def draw_confusion(body: dict[str, Any], name: str, *, literal: bool = False) -> str:
    """SVG of `body["matrix"]`, shape (labels, labels + 1); the last column counts answers outside the set.

    A cell is as strong as its share of the rows of its true label; right and wrong answers differ in colour.
    """
    matrix = tuple(tuple(line) for line in body["matrix"])
    return coloured(confusion_of(name, tuple(body["labels"]), matrix), literal=literal)


@lru_cache(KEPT)
def confusion_of(name: str, labels: tuple[str, ...], matrix: tuple[tuple[int, ...], ...]) -> str:
    salt = f"confusion-{name}"
    with style(salt, **{"axes.grid": False}):
        figure, axes = canvas("answered", "true label")
        side = min(14.0, max(4.5, 2.5 + 0.22 * len(labels)))
        figure.set_size_inches(side + 1.0, side)
        cells(axes, matrix)
        ticks(axes, labels)
        return finished(figure, salt, f"Confusion matrix of {len(labels)} labels")


def cells(axes: Axes, matrix: Sequence[Sequence[int]]) -> None:
    """One rectangle for each cell with rows; empty ones are left out, so that 77 labels stay a small file."""
    from matplotlib.patches import Rectangle

    for down, line in enumerate(matrix):
        total = sum(line)
        for across, count in enumerate(line):
            if not count:
                continue
            strength = 0.12 + (0.55 if len(matrix) <= WRITTEN else 0.88) * count / total
            colour = RIGHT if across == down else WRONG
            axes.add_patch(
                Rectangle((across - 0.5, down - 0.5), 1, 1, color=colour, alpha=strength, linewidth=0)
            )
            if len(matrix) <= WRITTEN:
                axes.text(across, down, str(count), ha="center", va="center", color=INK, fontsize=8)


def ticks(axes: Axes, labels: Sequence[str]) -> None:
    """Label names where they fit; else every few labels by their place in the table below the picture."""
    count = len(labels)
    axes.set_xlim(-0.5, count + 0.5)
    axes.set_ylim(count - 0.5, -0.5)
    every = 1 if count <= NAMED else -(-count // NAMED)
    places = list(range(0, count, every))
    short = [each if len(each) <= 22 else f"{each[:21]}…" for each in labels]
    style: dict[str, Any] = {"fontsize": 8 if count <= WRITTEN else 6.5, "parse_math": False}
    axes.set_yticks(places, [short[place] for place in places], **style)
    names = [*(short[place] for place in places), OUTSIDE]
    axes.set_xticks([*places, count], names, rotation=90, **style)
    axes.axvline(count - 0.5, color=GRID, linewidth=1)
