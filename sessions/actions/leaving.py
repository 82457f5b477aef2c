"""What a proposed reading cost, and the end of readings that nobody decides about any more. Call these with
the session's row locked."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sessions.actions import spending
from sessions.actions.events import change
from sessions.models import ProposedReading, TuningSession
from sessions.specification import short_name
from sessions.states import ReadingEnd


def covering(session: TuningSession, more: Decimal) -> dict[str, Any]:
    """What is approved with so much more (USD), once a plan is approved; before, its approval adds it up."""
    return {} if session.approved_amount is None else {"approved_amount": session.approved_amount + more}


def settle(session: TuningSession, reading: ProposedReading, cost: Decimal, gap: str) -> None:
    """The line costs what it cost, and what is left of this approval covers nothing else. A cost beyond it
    approves nothing: it is taken from what is approved for the rest."""
    spending.settle(session, reading.item, cost, gap)
    left = covering(session, min(cost - reading.amount, spending.ZERO))
    if left:
        TuningSession.objects.filter(pk=session.pk).update(**left)
        session.reload()


def withdraw(session: TuningSession, reading: ProposedReading, now: datetime) -> None:
    """One that was never asked for, and will not be: it costs nothing."""
    ProposedReading.objects.filter(pk=reading.pk).update(
        decision=ReadingEnd.WITHDRAWN, decided_at=now, answered_at=now
    )
    settle(session, reading, spending.ZERO, "it was not asked for any more")
    change(session, "reading-withdrawn", "The reading was not asked for any more; it cost nothing")


def put_aside(session: TuningSession, now: datetime) -> None:
    """Answered ones of which nothing was taken, when the session goes on or ends without them."""
    rows = ProposedReading.objects.filter(session=session, decision=ReadingEnd.OPEN)
    for reading in rows.exclude(answered_at=None):
        ProposedReading.objects.filter(pk=reading.pk).update(decision=ReadingEnd.DISCARDED, decided_at=now)
        text = f"Nothing was taken of what {short_name(reading.model)} proposed, and the session went on"
        change(session, f"reading-{ReadingEnd.DISCARDED}", text, data={"reading": reading.pk})
