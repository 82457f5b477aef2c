"""Starting a session: from a form, a sentence or the command line, always through here."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions import wake
from sessions.actions.events import change
from sessions.models import PhaseRun, TuningSession
from sessions.models.fields import token
from sessions.specification import Specification
from sessions.states import Phase


@dataclass(frozen=True)
class Start:
    """What a new session begins with. `form_token` makes a double click start one session."""

    title: str
    specification: Specification
    rehearsal: bool
    instruction: str = ""
    entered: dict[str, Any] = field(default_factory=dict)
    not_understood: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    form_token: str = field(default_factory=token)


def create_session(owner: AbstractBaseUser, start: Start) -> TuningSession:
    """The new session, queued; or the one that the same form already started."""
    try:
        with transaction.atomic():
            session = _insert(owner, start)
    except IntegrityError:
        return TuningSession.objects.get(form_token=start.form_token, owner_id=owner.pk)
    return session


def _insert(owner: AbstractBaseUser, start: Start) -> TuningSession:
    session = TuningSession.objects.create(
        owner_id=owner.pk,
        form_token=start.form_token,
        title=start.title[:120],
        workflow=start.specification.value("workflow"),
        instruction=start.instruction,
        entered=start.entered,
        specification_json=start.specification.to_json(),
        not_understood=start.not_understood,
        rehearsal=start.rehearsal,
        wake_at=timezone.now(),
    )
    PhaseRun.objects.bulk_create(
        PhaseRun(session=session, phase=phase, position=position) for position, phase in enumerate(Phase, 1)
    )
    change(session, "created", f"Session started by {owner.get_username()}", actor=owner)
    for conflict in start.conflicts:
        change(session, "conflict", conflict)
    for words in start.not_understood:
        change(session, "not-understood", f"Not understood in the instruction: “{words}”")
    transaction.on_commit(partial(wake.advance_soon, session.public_id))
    return session
