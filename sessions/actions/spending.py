"""The ledger of money and of remote things. Intent and reservation are one transaction, before the call; the
caller keeps its lease right before. What was seen of a remote thing or of its cost is true whoever saw it:
those writes are guarded by the row's state and name no lease."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from sessions import wake
from sessions.actions.events import change
from sessions.models import LedgerLine, Resource, TuningSession
from sessions.states import ResourceState

ZERO = Decimal(0)


class NotApproved(Exception):
    """Nothing may be made: no approved plan has this line."""


class ApprovalExceeded(Exception):
    """The spend would pass the approved amount; a person must approve more (product row 1.7). `why` says
    what made it necessary, where the plan did not foresee it."""

    def __init__(
        self,
        item: str,
        wanted: Decimal,
        committed: Decimal,
        approved: Decimal,
        *,
        label: str = "",
        why: str = "",
    ) -> None:
        super().__init__(f"{item} needs {wanted}, {committed} of {approved} is committed")
        self.item, self.wanted, self.committed, self.approved = item, wanted, committed, approved
        self.label, self.why = label or item, why


def committed(session: TuningSession) -> Decimal:
    """What is spent or reserved so far, in USD."""
    # Summed here and not by the database: SQLite would add floats.
    lines = LedgerLine.objects.filter(session=session)
    return sum((line.actual if line.actual is not None else line.reserved or ZERO for line in lines), ZERO)


@transaction.atomic
def intend(
    session: TuningSession,
    now: datetime,
    *,
    kind: str,
    purpose: str,
    name: str,
    item: str,
    request: dict[str, Any],
    amount: Decimal | None = None,
    why: str = "",
) -> Resource:
    """Record that a remote thing is about to be made, and reserve what it will cost, as `reserve` does.

    The same purpose again returns the row that is there: a step that is repeated after a crash goes on
    with the name it had. Raises NotApproved or ApprovalExceeded; then nothing is recorded.
    """
    known = Resource.objects.filter(session=session, purpose=purpose).first()
    if known:
        return known
    change(
        session, "resource-intended", f"Making {kind} {name}", data={"purpose": purpose}
    )  # takes the row's lock
    if session.approved_amount is None or session.cancel_requested_at:
        raise NotApproved(f"{purpose} of session {session.public_id} is not covered by an approval")
    if item:
        reserve(session, item, amount, why)
    return Resource.objects.create(
        session=session, kind=kind, purpose=purpose, name=name, request=request, intended_at=now
    )


def reserve(session: TuningSession, item: str, amount: Decimal | None = None, why: str = "") -> None:
    """Set aside `amount` more for a line, the upper end of its estimate unless given; call it with the
    session's row locked. What a settled line cost stays committed. Raises NotApproved or ApprovalExceeded."""
    line = LedgerLine.objects.filter(session=session, item=item).first()
    if line is None:
        raise NotApproved(f"the approved plan has no line {item}")
    # A line that could not be priced was shown as such and approved as such.
    wanted = amount if amount is not None else line.high or ZERO
    already, approved = committed(session), session.approved_amount or ZERO
    if already + wanted > approved:
        raise ApprovalExceeded(item, wanted, already, approved, label=line.label, why=why)
    taken = line.actual if line.actual is not None else line.reserved or ZERO
    LedgerLine.objects.filter(pk=line.pk).update(reserved=taken + wanted, actual=None)


def created(resource: Resource, now: datetime) -> None:
    """The remote thing is there."""
    Resource.objects.filter(pk=resource.pk, state=ResourceState.INTENDED).update(
        state=ResourceState.CREATED, created_at=now
    )


def gone(resource: Resource, now: datetime) -> bool:
    """The remote thing was seen to be gone. False when that was known."""
    rows = Resource.objects.filter(pk=resource.pk).exclude(state=ResourceState.GONE)
    return bool(rows.update(state=ResourceState.GONE, gone_at=now))


def settle(session: TuningSession, item: str, actual: Decimal, gap: str = "") -> None:
    """Record what a line really cost, and why that differs from the estimate."""
    LedgerLine.objects.filter(session=session, item=item).update(actual=actual, gap=gap)


def adopt(session: TuningSession, now: datetime, kind: str, purpose: str, name: str) -> None:
    """Record a remote thing that came into being through another one of ours, such as a job's model."""
    Resource.objects.get_or_create(
        session=session,
        purpose=purpose,
        defaults={
            "kind": kind,
            "name": name,
            "state": ResourceState.CREATED,
            "intended_at": now,
            "created_at": now,
        },
    )


@transaction.atomic
def ask_for_deletion(resource: Resource, actor: AbstractBaseUser, now: datetime) -> bool:
    """A person wants a deployment torn down; a worker does it. False when it was asked before."""
    rows = Resource.objects.filter(pk=resource.pk, kind="deployment", delete_asked_at=None)
    if not rows.exclude(state=ResourceState.GONE).update(delete_asked_at=now):
        return False
    short = resource.name.rsplit("/", 1)[-1]
    change(
        resource.session, "tear-down-asked", f"{actor.get_username()} asked to tear down {short}", actor=actor
    )
    transaction.on_commit(partial(wake.tear_down_soon, resource.pk))
    return True
