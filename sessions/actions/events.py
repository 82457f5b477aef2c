"""The one way to write an event: under the lock of its session's row, together with a change of that row."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sessions import wake
from sessions.actions import storable
from sessions.models import Event, TuningSession
from sessions.models.event import Level
from sessions.states import Status, may_move


def change(
    session: TuningSession,
    kind: str,
    text: str,
    *,
    expected: dict[str, Any] | None = None,
    to: dict[str, Any] | None = None,
    level: Level = Level.INFO,
    data: dict[str, Any] | None = None,
    actor: AbstractBaseUser | None = None,
    phase: str | None = None,
) -> bool:
    """Move a session's row if it is as `expected` (field lookups) and write one event.

    Returns False, and writes nothing, when the row was not as expected or may not go to that status.
    """
    with transaction.atomic():
        rows = TuningSession.objects.filter(pk=session.pk, **(expected or {}))
        if to and "status" in to:
            rows = rows.filter(status__in=[each for each in Status if may_move(each, to["status"])])
        if not rows.update(event_seq=F("event_seq") + 1, **(to or {})):
            return False
        session.reload()
        session.lease = (to or {}).get("lease", session.lease)
        Event.objects.create(
            session=session,
            seq=session.event_seq,
            at=timezone.now(),
            phase=phase or session.phase,
            kind=kind,
            level=level,
            text=storable.text(text),
            data=storable.json(data or {}),
            actor_id=actor.pk if actor else None,
        )
        transaction.on_commit(partial(wake.publish, session.public_id))
    return True


def note(session: TuningSession, kind: str, text: str, **options: Any) -> None:
    """An event without a change of state."""
    change(session, kind, text, **options)
