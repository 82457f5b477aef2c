"""The one place that makes remote things: intent and reservation, commit, call, record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction

from sessions.actions import spending
from sessions.models import Resource
from sessions.states import ResourceState
from workflows.fireworks import curl, names
from workflows.fireworks.wire import Exchange
from workflows.work import Work


@dataclass(frozen=True)
class Wanted:
    """A remote thing to be made. `item` is the ledger line that pays for it; empty when it is free. `amount`
    is what is set aside when that is not the line's upper end, and `why` it is needed at all (USD)."""

    kind: str  # dataset, job, deployment: the singular of the collection's name
    collection: str
    purpose: str
    item: str = ""
    attempt: int = 1
    request: dict[str, Any] = field(default_factory=dict)
    amount: Decimal | None = None
    why: str = ""


def ensure(work: Work, wanted: Wanted, make: Callable[[Resource], None]) -> Resource:
    """The remote thing, made if it is not there yet.

    `make` creates under exactly `resource.name` and accepts the same thing being there already, so a step
    that was killed after the call finds what it made. Raises what `spending.intend` and `make` raise.
    """
    work.keep_lease()
    stamp = f"{work.now:%Y%m%d%H%M%S}"
    identifier = names.resource_id("fwp", work.session.public_id, wanted.purpose, wanted.attempt, stamp)
    resource = spending.intend(
        work.session,
        work.now,
        kind=wanted.kind,
        purpose=wanted.purpose,
        name=names.full_name(work.fireworks.account, wanted.collection, identifier),
        item=wanted.item,
        request=wanted.request,
        amount=wanted.amount,
        why=wanted.why,
    )
    if resource.state == ResourceState.INTENDED:
        before = len(work.seen)
        make(resource)
        facts = {"name": resource.name, "kind": wanted.kind, **creation(work.seen[before:])}
        with transaction.atomic():  # a worker killed between the two would leave the call out of the report
            spending.created(resource, work.clock())
            work.tell("resource-created", f"Made {wanted.kind} {names.short(resource.name)}", data=facts)
        resource.refresh_from_db()
    return resource


def creation(calls: list[Exchange]) -> dict[str, Any]:
    """The calls that made a thing, to be made again by hand: as curl commands and by their parts. What was
    asked more than once, for want of an answer, is shown once."""
    made = {curl.of_exchange(each): each for each in calls if each.method != "GET"}
    return {"curl": "\n".join(made), "calls": [asdict(each) for each in made.values()]}
