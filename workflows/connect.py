"""The client for the portal's account, and which remote things it may change."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from django.conf import settings

from sessions import queries
from sessions.models import ProposedReading, Resource, Serving, TuningSession
from workflows.fireworks.client import Fireworks
from workflows.fireworks.errors import NeedsPerson
from workflows.fireworks.retrying import Retries
from workflows.fireworks.wire import Exchange


class OtherAccount(NeedsPerson):
    """The session belongs to another account than the one the portal now works with."""


def belongs_here(session: TuningSession) -> bool:
    """Whether a session began against what the portal works with now, a rehearsal or the real account."""
    return bool(session.rehearsal == settings.FIREWORKS["rehearsal"])


def check_account(session: TuningSession) -> None:
    """A rehearsal never goes on with real money, and what is real is never looked for in a rehearsal."""
    if not belongs_here(session):
        began, now = ("in rehearsal", "a real account") if session.rehearsal else ("for real", "a rehearsal")
        raise OtherAccount(
            f"This session began {began}, and the portal was started again with {now}. "
            "Start the portal as it was to go on, or stop here and start a new session"
        )


def is_covered(session: TuningSession, model: str) -> bool:
    """Whether a model that is served to everyone may be asked: either row is made with the reservation of an
    approved line, so there is none without an approval."""
    serving = Serving.objects.filter(session=session, model=model, way="serverless", ended_at=None)
    readings = ProposedReading.objects.filter(session=session, model=model, decision="")
    return serving.exists() or readings.filter(asked_at__isnull=False, answered_at=None).exists()


def connect(
    session: TuningSession | None = None,
    observe: Callable[[Exchange], None] | None = None,
    *,
    transport: httpx.BaseTransport | None = None,
    retries: Retries | None = None,
) -> Fireworks:
    """A client that may change only what `session` recorded as its own; without a session, nothing.

    `transport` and `retries` take the place of the network and of the client's own patience.
    """
    fireworks = Fireworks(
        settings.FIREWORKS["base_url"],
        settings.FIREWORKS["key"](),
        queries.account_name(),
        owns=lambda name: (
            session is not None and Resource.objects.filter(session=session, name=name).exists()
        ),
        asks=lambda model: session is not None and is_covered(session, model),
        observe=observe,
        transport=transport,
        retries=retries,
    )
    if not fireworks.account:
        fireworks.verify()
    return fireworks
