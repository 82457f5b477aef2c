"""Writes of the answers to prompt sets. Each names the session's lease, so that a worker that lost it
changes nothing: it is that of `session`, or of the session that a `Serving` was given by its worker. Rows are
marked before the call and stored as their answers come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from sessions.actions import moves, spending, storable
from sessions.actions.events import change
from sessions.models import Answer, Serving, TuningSession
from sessions.models.event import Level

KEY = ("session", "prompts", "subject", "row")
NOT_ASKED = "not_asked"  # in an answer's detail: the call was surely not made, or refused before it cost


@dataclass(frozen=True)
class Open:
    """A row without an answer. `attempt` is the one it is to be asked under; `doubtful`: it was asked before
    and nobody knows the outcome, so the provider may bill both."""

    row: int
    attempt: int = 1
    doubtful: bool = False


@transaction.atomic
def begin(session: TuningSession, serving: Serving, item: str, text: str) -> Serving:
    """The subject's row, made with the reservation of the ledger line `item`; the one that is there, if any.

    Raises LeaseLost, NotApproved or ApprovalExceeded; then nothing is recorded.
    """
    known = Serving.objects.filter(session=session, prompts=serving.prompts, subject=serving.subject).first()
    if known:
        return known
    facts = {"prompts": serving.prompts, "subject": serving.subject, "way": serving.way}
    tell(session, "asking", text, data=facts)  # takes the row's lock
    if session.approved_amount is None or session.cancel_requested_at:
        raise spending.NotApproved(f"{item} of session {session.public_id} is not covered by an approval")
    spending.reserve(session, item)
    serving.save(force_insert=True)
    return serving


@transaction.atomic
def reserve_more(session: TuningSession, item: str, amount: Decimal, text: str, why: str) -> None:
    """Set aside so much more for a line (USD). Raises LeaseLost, NotApproved or ApprovalExceeded."""
    tell(session, "reserved", text, data={"item": item, "amount": str(amount)})
    if session.approved_amount is None or session.cancel_requested_at:
        raise spending.NotApproved(f"{item} of session {session.public_id} is not covered by an approval")
    spending.reserve(session, item, amount, why)


def tell(session: TuningSession, kind: str, text: str, **options: Any) -> None:
    """One event, if the lease is still held. Raises LeaseLost."""
    if not change(session, kind, text, expected={"lease": session.lease}, **options):
        raise moves.LeaseLost(session.public_id)


@transaction.atomic
def turn(
    serving: Serving, now: datetime, way: str, words: str, text: str, opened: Sequence[Answer] = ()
) -> None:
    """A way was refused: remember it with the provider's `words`, keep what came of its rows, and go on by
    the next `way`. Raises LeaseLost."""
    refused = {**serving.refused, serving.way: storable.text(words)}
    facts = {"prompts": serving.prompts, "subject": serving.subject, "way": way, "theirs": words}
    tell(serving.session, "way-refused", text, level=Level.WARN, data=facts)
    Serving.objects.filter(pk=serving.pk).update(way=way, refused=refused, address="")
    if opened:
        store(serving.session, now, opened)
    serving.way, serving.refused, serving.address = way, refused, ""


@transaction.atomic
def remember(serving: Serving, now: datetime, address: str) -> None:
    """Keep the form of address that a deployment answered to. Raises LeaseLost."""
    moves.renew(serving.session, now)
    Serving.objects.filter(pk=serving.pk).update(address=address)
    serving.address = address


@transaction.atomic
def end(serving: Serving, now: datetime, text: str, facts: dict[str, Any]) -> bool:
    """Nothing more is asked for a subject. False when that was known. Raises LeaseLost."""
    if not Serving.objects.filter(pk=serving.pk, ended_at=None).update(ended_at=now):
        return False
    told = {"prompts": serving.prompts, "subject": serving.subject, **facts}
    tell(serving.session, "answered", text, level=Level.GOOD, data=told)
    serving.ended_at = now
    return True


def open_rows(session: TuningSession, prompts: str, subject: str, rows: int) -> list[Open]:
    """The rows that have no answer yet, in their order."""
    known = Answer.objects.filter(session=session, prompts=prompts, subject=subject)
    over = set(known.exclude(answered_at=None).values_list("row", flat=True))
    asked = {
        row: Open(row, attempt if NOT_ASKED in detail else attempt + 1, NOT_ASKED not in detail)
        for row, attempt, detail in known.filter(answered_at=None).values_list("row", "attempt", "detail")
    }
    return [asked.get(row) or Open(row) for row in range(rows) if row not in over]


@transaction.atomic
def mark(
    serving: Serving, now: datetime, rows: Sequence[Open], detail: dict[str, Any], told: Sequence[Open] = ()
) -> None:
    """Record that these rows are about to be asked; an event tells of those among `told` that may have been
    asked before. Raises LeaseLost."""
    moves.renew(serving.session, now)
    write_marks(serving, now, rows, detail)
    doubtful = sum(each.doubtful for each in told)
    if doubtful:
        text = (
            f"{doubtful:,} row{'s' * (doubtful != 1)} of {serving.prompts} asked of {serving.subject} once "
            "more: what came of the first call is not known, so Fireworks may bill both"
        )
        facts = {"prompts": serving.prompts, "subject": serving.subject, "rows": doubtful}
        tell(serving.session, "asked-again", text, level=Level.WARN, data=facts)


@transaction.atomic
def pass_on(
    serving: Serving, now: datetime, answers: Sequence[Answer], rows: Sequence[Open], detail: dict[str, Any]
) -> None:
    """Keep what came, and record that these rows are asked next, at once: while completions come by the
    hundred a second each is stored on its arrival. Raises LeaseLost."""
    moves.renew(serving.session, now)
    write_answers(answers)
    write_marks(serving, now, rows, detail)


def write_marks(serving: Serving, now: datetime, rows: Sequence[Open], detail: dict[str, Any]) -> None:
    write(
        [answer(serving, each, asked_at=now, detail=detail) for each in rows],
        ("attempt", "asked_at", "detail"),
    )


def answer(serving: Serving, row: Open, **columns: Any) -> Answer:
    """A row of the table, not stored yet."""
    return Answer(
        session=serving.session,
        prompts=serving.prompts,
        subject=serving.subject,
        row=row.row,
        attempt=row.attempt,
        **columns,
    )


@transaction.atomic
def store(session: TuningSession, now: datetime, answers: Sequence[Answer]) -> None:
    """Keep what came of marked rows: answers, refusals, and what is open again. Raises LeaseLost."""
    moves.renew(session, now)
    write_answers(answers)


def write_answers(answers: Sequence[Answer]) -> None:
    for each in answers:
        each.text, each.error = storable.text(each.text), storable.text(each.error)
        each.detail = storable.json(each.detail)
    write(answers, ("text", "error", "detail", "answered_at"))


def write(answers: Sequence[Answer], fields: Sequence[str]) -> None:
    """Insert the rows, or set these fields of the ones that are there, in few statements."""
    Answer.objects.bulk_create(
        answers, update_conflicts=True, unique_fields=KEY, update_fields=fields, batch_size=500
    )
