"""Pictures as SVG, drawn once per change of the data: by a worker, never while a page is rendered.

Drawn with sentinel colours that are replaced in the finished text: by CSS variables for a page (the
picture then follows the theme), or by literal colours for the report's files. The same data give the
same bytes: ids come from a fixed salt and no date is written. So a picture of the same data is not drawn
again: the page's and the report's differ in colours alone, and drawing takes a tenth of a second.

matplotlib is imported with the first picture: it takes as long as all of the portal, and most processes
draw none.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sessions.models import Candidate
from sessions.scoreboard import points, short_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LITERAL = {
    "chart-1": "#5546c8",
    "chart-2": "#c2571a",
    "chart-3": "#0d8277",
    "chart-4": "#b32d72",
    "chart-5": "#2f6fd0",
    "chart-6": "#8a6d00",
    "chart-7": "#4d7a1f",
    "chart-8": "#6b6b75",
    "chart-ink": "#4f4f58",
    "chart-grid": "#e7e6e1",
}
SENTINELS = {name: f"#0a0b{number:02x}" for number, name in enumerate(LITERAL, 0x10)}
INK, GRID = SENTINELS["chart-ink"], SENTINELS["chart-grid"]
SERIES = tuple(SENTINELS[f"chart-{number}"] for number in range(1, 9))
DASHES = ("-", (0, (5, 1.5)), (0, (3, 1.2, 1, 1.2)))  # beyond eight series the stroke tells them apart
STEEP = 4  # largest over smallest loss from which the axis is logarithmic
RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


Points = tuple[tuple[float, float], ...]
KEPT = 32  # pictures that a process remembers, some 50 KB each


class Curves(NamedTuple):
    """What is drawn of one candidate: (step, loss) points."""

    label: str
    train: Points
    validation: Points


def draw_losses(candidates: Iterable[Candidate], *, literal: bool = False) -> str:
    """Loss curves of all candidates over each other; x: optimizer step, y: cross-entropy per token (nats).

    Validation is the strong line with dots, training the faint one. Empty when nobody has a point yet.
    """
    found = tuple(curves_of(each) for each in candidates)
    drawn = tuple(each for each in found if each.train or each.validation)
    return coloured(losses_of(drawn), literal=literal) if drawn else ""


def curves_of(candidate: Candidate) -> Curves:
    train, validation = points(candidate, "train_loss"), points(candidate, "eval_loss")
    return Curves(name_of(candidate), tuple(train), tuple(validation))


def name_of(candidate: Candidate) -> str:
    return f"#{candidate.number} {short_label(candidate)}"


@lru_cache(KEPT)
def losses_of(drawn: tuple[Curves, ...]) -> str:
    with style("losses"):
        figure, axes = canvas("step", "loss")
        for position, curves in enumerate(drawn):
            loss_lines(axes, curves, position)
        spread(axes)
        legend(axes, len(drawn))
        return finished(figure, "losses", "Loss by step for each candidate")


def loss_lines(axes: Axes, curves: Curves, position: int) -> None:
    style: dict[str, Any] = {"color": SERIES[position % 8], "linestyle": DASHES[position // 8 % len(DASHES)]}
    label, train, validation = curves
    if train:
        axes.plot(
            *zip(*train, strict=True), **style, linewidth=1, alpha=0.4, label=None if validation else label
        )
    if validation:
        axes.plot(*zip(*validation, strict=True), **style, linewidth=2, marker="o", markersize=4, label=label)


def spread(axes: Axes) -> None:
    """A logarithmic loss axis where the first steps would press what matters into one line."""
    from matplotlib.ticker import LogLocator, NullLocator

    lines = [np.asarray(line.get_ydata(), dtype=float) for line in axes.get_lines()]
    values = np.concatenate(lines) if lines else np.empty(0)
    if not values.size or values.min() <= 0 or values.max() / values.min() < STEEP:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:g}")
    axes.yaxis.set_minor_locator(NullLocator())


class Dot(NamedTuple):
    """What is drawn of one candidate: `low` to `high` is the interval of its value."""

    number: int
    label: str
    cost: float
    value: float
    bounds: tuple[float, float] | None
    ringed: bool


def draw_scoreboard(
    candidates: Sequence[Candidate],
    *,
    suggested: int | None = None,
    scores: Mapping[int, float] | None = None,
    intervals: Mapping[int, tuple[float, float]] | None = None,
    literal: bool = False,
) -> str:
    """Quality against cost: the mean score where `scores` has them by the candidate's number, else validation
    loss (nats), over training cost (USD), one dot a candidate.

    `suggested` (a candidate's number) gets a ring; `intervals` gives low and high of what is drawn by number.
    Empty when fewer than two candidates have both numbers.
    """
    bounds = intervals or {}
    drawn = []
    for each in candidates:
        value = scores.get(each.number) if scores else each.validation_loss
        if value is not None and each.cost is not None:
            ringed = each.number == suggested
            place = (float(each.cost), value, bounds.get(each.number))
            drawn.append(Dot(each.number, name_of(each), *place, ringed))
    if len(drawn) < 2:
        return ""
    return coloured(
        scoreboard_of("mean score" if scores else "validation loss", tuple(drawn)), literal=literal
    )


@lru_cache(KEPT)
def scoreboard_of(quality: str, drawn: tuple[Dot, ...]) -> str:
    with style("scoreboard"):
        figure, axes = canvas("training cost (USD)", quality)
        for position, each in enumerate(drawn):
            dot(axes, each, SERIES[position % 8])
        axes.margins(x=0.12, y=0.15)
        legend(axes, len(drawn))
        return finished(figure, "scoreboard", f"{quality.capitalize()} against training cost")


def dot(axes: Axes, each: Dot, color: str) -> None:
    if each.bounds:
        axes.plot([each.cost, each.cost], each.bounds, color=color, linewidth=1.2, alpha=0.6)
    at = [each.cost], [each.value]
    if each.ringed:
        axes.plot(*at, "o", markersize=14, markerfacecolor="none", markeredgecolor=color)
    label = f"{each.label} (suggested)" if each.ringed else each.label
    axes.plot(*at, "o", markersize=7, color=color, linestyle="none", label=label)
    place = (each.cost, each.value)
    axes.annotate(f"#{each.number}", place, xytext=(9, 5), textcoords="offset points", color=INK)


def style(salt: str, **more: Any) -> AbstractContextManager[None]:
    """What a picture is drawn with: our look, and ids that come from `salt`."""
    import matplotlib

    settings: dict[Any, Any] = {**RC, **more, "svg.hashsalt": salt}
    return matplotlib.rc_context(settings)


def canvas(x: str, y: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 3.6), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def legend(axes: Axes, count: int) -> None:
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.0), ncols=1 + count // 18, labelcolor=INK, handlelength=1.6
    )


def finished(figure: Figure, name: str, title: str) -> str:
    """The SVG element alone in sentinel colours, named for screen readers, its ids prefixed so that several
    fit on one page."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    # Not `savefig`, which draws all of it once before only to lay it out.
    FigureCanvasSVG(figure).print_svg(  # type: ignore[no-untyped-call]
        buffer, metadata={"Date": None, "Creator": None}
    )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # The style element would reach every other picture on the page.
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{title}" stroke-linejoin="round" ', 1)


def coloured(text: str, *, literal: bool) -> str:
    """A finished picture with colours of its own, or with those of the page's theme."""
    for variable, sentinel in SENTINELS.items():
        text = text.replace(
            sentinel, LITERAL[variable] if literal else f"var(--{variable}, {LITERAL[variable]})"
        )
    return text
