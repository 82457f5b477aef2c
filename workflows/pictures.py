"""When the charts are drawn: once per change of what they show, never for a page."""

from __future__ import annotations

from typing import Any

from sessions.models import Candidate
from sessions.models.evidence import Role
from sessions.scoreboard import SCORE
from workflows.charts import draw_losses, draw_scoreboard
from workflows.work import Work

SVG = "image/svg+xml"
LOSSES, SCOREBOARD = "losses.svg", "scoreboard.svg"


def losses(work: Work) -> None:
    """The overlaid loss curves, in the colours of the page's theme."""
    keep(work, f"charts/{LOSSES}", draw_losses(work.session.candidates.all()))


def scoreboard(work: Work, suggested: int | None) -> None:
    """Quality against cost of the sweep, in the colours of the page's theme."""
    drawn = draw_scoreboard(sweep(work), suggested=suggested, **scored(work))
    keep(work, f"charts/{SCOREBOARD}", drawn)


def scored(work: Work) -> dict[str, Any]:
    """The candidates' mean scores with their intervals by number; empty where validation loss decides."""
    found = {
        each.candidate.number: each
        for each in work.session.evaluations.filter(metric=SCORE).select_related("candidate")
        if each.candidate
    }
    bounds = {number: (each.low, each.high) for number, each in found.items() if each.low is not None}
    return {"scores": {number: each.value for number, each in found.items()}, "intervals": bounds}


def for_report(work: Work) -> None:
    """The same pictures with colours of their own, for the report outside the portal."""
    winner = work.session.winner.number if work.session.winner else None
    keep(work, f"pictures/{LOSSES}", draw_losses(work.session.candidates.all(), literal=True))
    drawn = draw_scoreboard(sweep(work), suggested=winner, literal=True, **scored(work))
    keep(work, f"pictures/{SCOREBOARD}", drawn)


def sweep(work: Work) -> list[Candidate]:
    """The candidates that compete; the full-data run does not."""
    return list(work.session.candidates.filter(role=Role.SWEEP))


def keep(work: Work, name: str, drawn: str) -> None:
    """A chart of too few points is empty and not kept."""
    if drawn:
        work.keep(name, SVG, drawn)
