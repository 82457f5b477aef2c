"""Reads used by more than one page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Count, F, Q, QuerySet
from django.http import Http404

from sessions.models import (
    Account,
    Answer,
    BaseModel,
    Gate,
    LedgerLine,
    ProposedReading,
    RemoteDataset,
    Resource,
    Serving,
    TuningSession,
    Upload,
)
from sessions.models.upload import DATA_SUFFIX
from sessions.states import ALIVE, Decision, ResourceState, Status

Person = AbstractBaseUser | AnonymousUser

FAILURES_SHOWN = timedelta(days=7)
AGAIN = "again"  # in what was entered: the session whose values this one began with
ZERO = Decimal(0)


def sessions_of(person: Person) -> QuerySet[TuningSession]:
    """The sessions that a person may see."""
    return TuningSession.objects.filter(owner_id=person.pk)


def session_or_404(person: Person, public_id: str) -> TuningSession:
    """One's own session; someone else's looks as if it were not there."""
    found = sessions_of(person).filter(public_id=public_id).first()
    if found is None:
        raise Http404(f"There is no session {public_id}.")
    return found


def data_uploads(person: Person) -> QuerySet[Upload]:
    """What a person uploaded to train on or to measure on, the newest first."""
    mine = Upload.objects.filter(owner_id=person.pk, filename__iendswith=DATA_SUFFIX)
    return mine.order_by("-created_at")


def upload_or_404(person: Person, token: str) -> Upload:
    found = Upload.objects.filter(owner_id=person.pk, token=token).first()
    if found is None:
        raise Http404("There is no such upload.")
    return found


def open_gates(person: Person) -> QuerySet[Gate]:
    """The decisions that wait for a person, the longest waiting first."""
    gates = Gate.objects.filter(decision=Decision.OPEN, session__owner_id=person.pk)
    return gates.select_related("session", "plan").order_by("opened_at")


def recent_failures(person: Person, now: datetime) -> QuerySet[TuningSession]:
    """Sessions that failed lately and that were not started again since."""
    again = sessions_of(person).filter(entered__has_key=AGAIN).values_list(f"entered__{AGAIN}", flat=True)
    failed = sessions_of(person).filter(status=Status.FAILED, ended_at__gte=now - FAILURES_SHOWN)
    return failed.exclude(public_id__in=list(again)).order_by("-ended_at")


def paid_deployments(person: Person) -> QuerySet[Resource]:
    """Deployments that sessions of this person made, that are still there, and that cost money."""
    resources = Resource.objects.filter(kind="deployment", state=ResourceState.CREATED)
    mine = resources.filter(session__owner_id=person.pk, session__rehearsal=False)
    mine = mine.exclude(request__has_key="prompts", session__status__in=ALIVE)  # the session deletes these
    return mine.select_related("session").order_by("-created_at")


def needs_you_count(person: Person, now: datetime) -> int:
    """How many things Home lists under "needs you"."""
    return sum(
        rows.count() for rows in (open_gates(person), recent_failures(person, now), paid_deployments(person))
    )


def account() -> Account | None:
    """The account as last refreshed, of what the portal works with now: local Fireworks or the real one."""
    rows = Account.objects.filter(rehearsal=settings.FIREWORKS["rehearsal"])
    return rows.order_by(F("refreshed_at").desc(nulls_last=True)).first()


def account_name() -> str:
    """The account's id as configured or as learnt; empty when the key never worked: the row that only holds
    the trouble has no name to use."""
    known = account()
    return str(settings.FIREWORKS["account"] or (known.name if known and known.refreshed_at else ""))


def base_models() -> QuerySet[BaseModel]:
    """The catalogue as last listed: what can be tuned, or served."""
    return BaseModel.objects.filter(listed=True)


def datasets() -> QuerySet[RemoteDataset]:
    return RemoteDataset.objects.filter(listed=True)


def dataset_names() -> list[str]:
    """The full names of the account's datasets."""
    return list(datasets().values_list("name", flat=True))


@dataclass(frozen=True)
class Spend:
    """What a person's sessions cost, in USD."""

    actual: Decimal
    reserved: Decimal
    sessions: int


def spend_since(person: Person, moment: datetime) -> Spend:
    """Costs of the sessions started since a moment. Summed here: SQLite would add floats."""
    mine: dict[str, Any] = {"session__owner_id": person.pk, "session__created_at__gte": moment}
    lines = list(LedgerLine.objects.filter(**mine).only("actual", "reserved", "session_id"))
    actual = sum((line.actual for line in lines if line.actual is not None), ZERO)
    reserved = sum((line.reserved for line in lines if line.actual is None and line.reserved), ZERO)
    paid = {line.session_id for line in lines if line.actual or line.reserved}
    return Spend(actual, reserved, len(paid))


def approved(session: TuningSession) -> Decimal | None:
    """What may be spent in all: by the plan, or before there is one by readings alone; None for nothing."""
    if session.approved_amount is not None:
        return Decimal(session.approved_amount)
    amounts = list(ProposedReading.objects.filter(session=session).values_list("amount", flat=True))
    return sum(amounts, ZERO) if amounts else None


@dataclass(frozen=True)
class Progress:
    """How far one subject's answers to one prompt set are: rows that are over, those of them without an
    answer, and all rows; by which way, and which ways were refused in whose words."""

    prompts: str
    subject: str
    way: str
    refused: dict[str, str]
    over: int
    errors: int
    rows: int
    ended: bool


def answer_progress(session: TuningSession) -> list[Progress]:
    """The progress of every prompt set and subject of a session, in the order in which they were begun."""
    over = Answer.objects.filter(session=session).exclude(answered_at=None)
    counted = over.values("prompts", "subject").annotate(
        over=Count("id"), errors=Count("id", filter=~Q(error=""))
    )
    by_subject = {(each["prompts"], each["subject"]): each for each in counted.order_by()}
    found = []
    for each in Serving.objects.filter(session=session):
        counts = by_subject.get((each.prompts, each.subject), {"over": 0, "errors": 0})
        found.append(
            Progress(
                each.prompts, each.subject, each.way, each.refused, counts["over"], counts["errors"],
                each.rows, each.is_over,
            )
        )  # fmt: skip
    return found
