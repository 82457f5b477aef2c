"""What a deployment of ours cost, by our own looks: a replica is billed by the second while it is up, its
start is not, and it sleeps after five minutes without a request (facts sheet 6.5). The provider's bill comes
a day later and by model, so nothing better is known when the report is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sessions.actions import spending
from sessions.actions.events import note
from sessions.costs import money
from sessions.costs.estimate import CENT_OF_CENT
from sessions.costs.inference import TOKEN_WAYS
from sessions.costs.rates import Rates
from sessions.models import Answer, Resource, TuningSession
from workflows.facts import duration
from workflows.fireworks import names
from workflows.fireworks.deployments import Deployment
from workflows.work import rates_path

PURPOSE, ITEM = "deployment", "deployment:first-hour"
UP = "deployment-up"
IDLE = timedelta(seconds=300)
HOUR = Decimal(3600)


def seen_up(session: TuningSession, found: Deployment, now: datetime) -> None:
    """Remember once that a replica is up, and on what."""
    if session.events.filter(kind=UP, data__name=found.name).exists():
        return
    facts = {
        "name": found.name,
        "since": now.isoformat(),
        "accelerator": found.accelerator_type,
        "count": found.accelerator_count or 1,
    }
    note(session, UP, f"{names.short(found.name)} is up: {hardware(facts)}", data=facts)


def settle(resource: Resource, now: datetime, *, gone: bool) -> None:
    """Settle the line of the session's deployment by the time that a replica surely was up until `now`."""
    session = resource.session
    if resource.purpose != PURPOSE:
        settle_temporary(resource, now)
        return
    up = looked_up(session, resource.name, Rates.load(rates_path()))
    if up is None:
        words = "no replica came up, and a start is not billed" if gone else "no replica is up yet"
        spending.settle(session, ITEM, Decimal(0), words)
        return
    cost = up.cost(min(now - up.since, IDLE))
    if cost is not None:
        spending.settle(session, ITEM, cost, f"{state(up.since, now, gone)}, on {up.priced}")


def settle_temporary(resource: Resource, now: datetime) -> None:
    """Settle the line that pays for a temporary deployment and for others like it."""
    item = resource.request.get("item", "")
    cost, words = so_far(resource.session, item, now)
    if cost is not None:
        gap = f"up for {words}, then deleted" if words else "no replica came up, and a start is not billed"
        spending.settle(resource.session, item, cost, gap)


def so_far(session: TuningSession, item: str, now: datetime) -> tuple[Decimal | None, str]:
    """What the temporary deployments of one line cost until `now` at the most, each from the first look that
    found it up and while it did not sleep, and how that is made up. None when a rate is not known."""
    total, words, rates = Decimal(0), [], Rates.load(rates_path())
    for place in Resource.objects.filter(session=session, kind="deployment", request__item=item):
        up = looked_up(session, place.name, rates)
        if up is None:
            continue
        took = awake(place, up.since, place.gone_at or now)
        cost = up.cost(took)
        if cost is None:
            return None, ""
        total += cost
        words.append(f"{duration(took.total_seconds())} on {up.priced}")
    return total, " and ".join(words)


@dataclass(frozen=True)
class Up:
    """A deployment that was seen up: since when, on what, and USD for an hour of it if a rate is known."""

    since: datetime
    hardware: str
    hourly: Decimal | None

    def cost(self, took: timedelta) -> Decimal | None:
        """USD for some time, to the millionth."""
        if self.hourly is None:
            return None
        return (self.hourly * Decimal(str(took.total_seconds())) / HOUR).quantize(CENT_OF_CENT)

    @property
    def priced(self) -> str:
        return self.hardware + (f" at {money(self.hourly)} an hour" if self.hourly is not None else "")


def looked_up(session: TuningSession, name: str, rates: Rates) -> Up | None:
    """What was remembered of a deployment; None when it was never seen up."""
    told = session.events.filter(kind=UP, data__name=name).first()
    if told is None:
        return None
    since = datetime.fromisoformat(told.data["since"])
    rate = rates.gpu_hour(told.data["accelerator"], since.date())
    return Up(since, hardware(told.data), None if rate is None else rate * told.data["count"])


def awake(place: Resource, since: datetime, until: datetime) -> timedelta:
    """How long a temporary deployment was up: each pause between its answers counts until it falls asleep."""
    answers = Answer.objects.filter(session=place.session_id, prompts=place.request["prompts"])
    moments = answers.exclude(detail__way__in=TOKEN_WAYS).values_list("asked_at", "answered_at")
    used = sorted({at for pair in moments for at in pair if at and since < at < until})
    pauses = (min(later - earlier, IDLE) for earlier, later in pairwise([since, *used, until]))
    return sum(pauses, timedelta())


def state(since: datetime, now: datetime, gone: bool) -> str:
    """Since when it was up, and what nobody knows."""
    took = duration((now - since).total_seconds())
    if now - since > IDLE:
        idle = duration(IDLE.total_seconds())
        ended = "until it was deleted" if gone else "until now"
        return f"at least: it sleeps after {idle} and was there for {took} {ended}, perhaps woken again"
    return f"up for {took}, then deleted" if gone else f"so far: up for {took}"


def hardware(facts: dict[str, Any]) -> str:
    return f"{facts['count']} × {facts['accelerator'] or 'an accelerator that was not named'}"
