"""The one place that makes remote things: intent and reservation, commit, call, record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
    """A remote thing to be made. `item` is the ledger line that pays for it; empty when it is free."""

    kind: str  # dataset, job, deployment: the singular of the collection's name
    collection: str
    purpose: str
    item: str = ""
    attempt: int = 1
    request: dict[str, Any] = field(default_factory=dict)


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
    )
    if resource.state == ResourceState.INTENDED:
        before = len(work.seen)
        make(resource)
        facts = {"name": resource.name, "kind": wanted.kind, "curl": creation(work.seen[before:])}
        with transaction.atomic():  # a worker killed between the two would leave the call out of the report
            spending.created(resource, work.clock())
            work.tell("resource-created", f"Made {wanted.kind} {names.short(resource.name)}", data=facts)
        resource.refresh_from_db()
    return resource


def creation(calls: list[Exchange]) -> str:
    """The call that made a thing, as a curl command; empty when an earlier attempt had made it."""
    made = next((each for each in calls if each.method == "POST"), None)
    return curl.of_exchange(made) if made else ""
