"""What the session's views read: who may see what, and the rows behind the page."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone

from sessions import catalogue
from sessions.board import Facts
from sessions.models import Event, Plan, TuningSession
from sessions.queries import Person, account_name, dataset_names, sessions_of
from sessions.specification import Context

EVENTS_SHOWN = 200
LATEST_SHOWN = 8


def person(request: HttpRequest) -> AbstractBaseUser:
    """Who asks; every page is behind the login."""
    return cast(AbstractBaseUser, request.user)


def visible(who: Person) -> QuerySet[TuningSession]:
    """One's own sessions; staff see all."""
    everyone = TuningSession.objects.all()
    return everyone if getattr(who, "is_staff", False) else sessions_of(who)


def session_or_404(who: Person, public_id: str) -> TuningSession:
    """A session that the person may see; any other looks as if it were not there."""
    found = visible(who).select_related("owner", "winner").filter(public_id=public_id).first()
    if found is None:
        raise Http404(f"There is no session {public_id}.")
    return found


def facts(session: TuningSession, *, curves: bool = False) -> Facts:
    """The rows of a page in a fixed number of queries; curves are long and read only where they are shown."""
    candidates = session.candidates.all() if curves else session.candidates.defer("curve")
    return Facts(
        session=session,
        phases=list(session.phases.all()),
        gates=list(session.gates.select_related("plan", "decided_by")),
        candidates=list(candidates),
        ledger=list(session.ledger.all()),
        plan=Plan.objects.filter(session=session)
        .order_by("-revision")
        .values_list("body", flat=True)
        .first(),
        now=timezone.now(),
    )


def newest_events(session: TuningSession, count: int, before: int | None = None) -> list[Event]:
    """The last events, newest first; `before` pages back."""
    rows = session.events.select_related("actor").order_by("-seq")
    return list((rows.filter(seq__lt=before) if before else rows)[:count])


def events_after(session: TuningSession, seq: int, count: int) -> list[Event]:
    """The events that follow one, oldest first."""
    return list(session.events.select_related("actor").filter(seq__gt=seq).order_by("seq")[:count])


def context() -> Context:
    """What typed values are checked against: the tunable models, the account, and its datasets."""
    known = catalogue.load(timezone.now())
    return Context(catalogue.names(known), account_name(), dataset_names(), known.served)
