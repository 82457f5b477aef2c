"""Shares of rows as people read them."""

from __future__ import annotations

from django import template

from sessions.models import TuningSession
from sessions.specification import preference

register = template.Library()


@register.filter
def weight(run: TuningSession) -> str:
    """What the preference weight of a session's candidates is called: beta, or ORPO's lambda."""
    return preference.weight(run.value("method"))


@register.filter
def percentage(share: float | None) -> str:
    """0.8375 as `83.8 %`; nothing measured is a dash."""
    return "–" if share is None else f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


@register.filter
def points(change: float | None) -> str:
    """A change of a share in percentage points, with its sign: `+12.3`, `−4.0`, `0.0`."""
    if change is None:
        return "–"
    rounded = round(100 * change, 1)
    return "0.0" if not rounded else f"{'+' if rounded > 0 else '−'}{abs(rounded):.1f}"
