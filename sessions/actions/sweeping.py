"""Writes of a sweep that ends before all of its candidates were started."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from sessions.actions import moves, spending
from sessions.actions.events import change
from sessions.models import Candidate, Resource
from sessions.models.event import Level
from sessions.states import CandidateState, ResourceState


@transaction.atomic
def leave_out(candidate: Candidate, now: datetime, *, purpose: str, item: str, text: str) -> bool:
    """Mark a planned candidate as never to be started, and its ledger line `item` as costing nothing. False
    when it is not planned any more, or when `purpose`, its job, was made or is about to be. Raises LeaseLost.
    """
    session = candidate.session
    jobs = Resource.objects.filter(session=session, purpose=purpose).exclude(state=ResourceState.GONE)
    planned = Candidate.objects.filter(pk=candidate.pk, state=CandidateState.PLANNED)
    if jobs.exists() or not planned.update(state=CandidateState.CANCELLED, ended_at=now):
        return False
    if not change(
        session, "candidate-left-out", text, expected={"lease": session.lease}, level=Level.INFO,
        data={"number": candidate.number},
    ):  # fmt: skip
        raise moves.LeaseLost(session.public_id)
    spending.settle(session, item, Decimal(0), "not started, since the target was reached")
    return True
