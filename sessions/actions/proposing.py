"""Writes of proposed readings: the approval of one spend, the mark before the call, what came of it, and what
the person made of it. None of them opens or closes a gate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from sessions import wake
from sessions.actions import gates, leaving, spending, storable
from sessions.actions.events import change
from sessions.costs import money_exact
from sessions.costs.lines import INFERENCE
from sessions.models import Gate, LedgerLine, ProposedReading, TuningSession
from sessions.models.event import Level
from sessions.specification import short_name
from sessions.states import Decision, GateKind, ReadingEnd, Status

GATES = (GateKind.QUESTIONS, GateKind.PLAN)  # where words can be read
LAST = 30_000  # behind the lines of a plan
LATE = "counted at the most: the session ended before the answer came"
TOO_LATE = "The session ended before the answer came. It may be billed, and counts as paid."


class Refused(Exception):
    """Nothing was approved, taken or put aside; the message says why."""


@transaction.atomic
def approve(
    gate: Gate, actor: AbstractBaseUser, reading: ProposedReading, how: str, now: datetime
) -> ProposedReading:
    """Record that a person lets a model read words for `reading.amount` at the most, and set that aside.

    Raises Refused, or AlreadyDecided when the gate is closed; then nothing is recorded.
    """
    session = gates.locked(gate)
    if gate.kind not in GATES or session.cancel_requested_at:
        raise Refused("Words can be read at the questions and at the plan, while the session waits there.")
    if session.proposed_readings.filter(decision=ReadingEnd.OPEN).exists():
        raise Refused("A reading was asked for already: take of it what is right, or discard it first.")
    reading.session, reading.approved_by_id, reading.approved_at = session, actor.pk, now
    reading.save(force_insert=True)
    amount, model = reading.amount, short_name(reading.model)
    LedgerLine.objects.create(
        session=session, item=reading.item, label=f"Reading of your words by {model}"[:160], group=INFERENCE,
        phase=session.phase, position=LAST, low=spending.ZERO, expected=amount, high=amount, how=how,
        reserved=amount,
    )  # fmt: skip
    limit = money_exact(amount)
    told = f"{actor.get_username()} let {model} propose a reading of {said(reading)}, at most {limit}"
    facts = {"reading": reading.pk, "model": reading.model, "amount": str(amount)}
    moved = change(
        session, "reading-approved", told, actor=actor, data=facts, expected={"status": Status.WAITING},
        to=leaving.covering(session, amount),
    )  # fmt: skip
    if not moved:
        raise Refused("The session does not wait for a decision any more; look at its page.")
    transaction.on_commit(partial(wake.read_words_soon, reading.pk))
    return reading


def said(reading: ProposedReading) -> str:
    """The words not understood, for the log."""
    return ", ".join(f"“{reading.text[start:end]}”" for start, end in reading.lost)


def locked(reading: ProposedReading) -> TuningSession:
    """The reading's session, locked, and the reading as it is now."""
    session = TuningSession.objects.select_for_update().get(pk=reading.session_id)
    reading.refresh_from_db()
    reading.session = session
    return session


@transaction.atomic
def mark(reading: ProposedReading, now: datetime) -> bool:
    """Record that the model is about to be asked. False when another worker was first, or when the session
    waits no more where the words could be read: then the reading is withdrawn and costs nothing."""
    session = locked(reading)
    if reading.asked_at or reading.decision:
        return False
    waits = session.gates.filter(decision=Decision.OPEN, kind__in=GATES).exists()
    if session.cancel_requested_at or not waits:
        leaving.withdraw(session, reading, now)
        return False
    ProposedReading.objects.filter(pk=reading.pk).update(asked_at=now)
    reading.asked_at = now
    change(session, "reading-asked", f"{short_name(reading.model)} is asked to read {said(reading)}")
    return True


@transaction.atomic
def keep(reading: ProposedReading, now: datetime, cost: Decimal, gap: str, **columns: Any) -> bool:
    """Keep what came of the call (`answer` or `error`, and `detail`) and what it cost in USD. False when it
    was known before, or counted as lost."""
    session = locked(reading)
    if reading.is_over:
        return False
    kept = {name: storable.json(value) for name, value in columns.items()}
    ProposedReading.objects.filter(pk=reading.pk).update(answered_at=now, **kept)
    leaving.settle(session, reading, cost, gap)
    beyond = cost > reading.amount
    text = outcome(reading, columns.get("error", "")) + (beyond_words(reading, cost) if beyond else "")
    level = Level.WARN if columns.get("error") or beyond else Level.INFO
    change(session, "reading-answered", text, level=level, data={"reading": reading.pk, "cost": str(cost)})
    last = session.gates.order_by("pk").last()
    if last and last.decision == Decision.APPROVED:
        leaving.put_aside(session, now)
    reading.refresh_from_db()
    return True


def outcome(reading: ProposedReading, error: str) -> str:
    """What came of the call, for the log."""
    model = short_name(reading.model)
    return f"No reading came of {model}: {error}" if error else f"{model} proposed a reading"


def beyond_words(reading: ProposedReading, cost: Decimal) -> str:
    """That a reading cost more than its bound, for the log."""
    cap = money_exact(reading.amount)
    return f". It cost {money_exact(cost)}, more than the {cap} approved; less is left for the rest"


@transaction.atomic
def end_all(session: TuningSession, now: datetime) -> None:
    """The session is over: what was not asked for is withdrawn, what is asked and not answered counts as paid
    at the most, so that the report states what it cost, and the others are put aside."""
    TuningSession.objects.select_for_update().get(pk=session.pk)
    for reading in session.proposed_readings.filter(answered_at=None, decision=ReadingEnd.OPEN):
        if reading.asked_at is None:
            leaving.withdraw(session, reading, now)
        else:
            keep(reading, now, reading.amount, LATE, error=TOO_LATE)
    leaving.put_aside(session, now)
    session.reload()


@transaction.atomic
def close(
    reading: ProposedReading,
    actor: AbstractBaseUser,
    now: datetime,
    end: ReadingEnd,
    taken: Iterable[str] = (),
    facts: str = "",
) -> None:
    """What a person made of an answered reading; `facts` are the values taken, in words.

    Raises Refused when somebody was faster, or when it is not there yet.
    """
    open_rows = ProposedReading.objects.filter(
        pk=reading.pk, decision=ReadingEnd.OPEN, answered_at__isnull=False
    )
    names = list(taken)
    if not open_rows.update(decision=end, decided_at=now, decided_by=actor.pk, taken=names):
        raise Refused("This reading is not open: it was taken or discarded already, or is not there yet.")
    did = "took" if end == ReadingEnd.TAKEN else "discarded"
    what = f": {facts}" if facts else ""
    text = f"{actor.get_username()} {did} what {short_name(reading.model)} proposed{what}"
    data = {"reading": reading.pk, "fields": names}
    change(reading.session, f"reading-{end}", text, actor=actor, data=data)
