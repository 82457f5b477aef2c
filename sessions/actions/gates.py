"""A person's decisions at gates, and cancelling. Each gate is decided once; the others are told by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from sessions import wake
from sessions.actions import leaving, spending
from sessions.actions.events import change
from sessions.models import Gate, LedgerLine, Plan, TuningSession
from sessions.models.event import Level
from sessions.specification import Entry, is_moot, with_changes
from sessions.states import ALIVE, Decision, GateKind, Status


class AlreadyDecided(Exception):
    """The gate is closed; the message says by whom and when."""

    def __init__(self, gate: Gate) -> None:
        who = gate.decided_by.get_username() if gate.decided_by else "the portal"
        when = f"{gate.decided_at:%Y-%m-%d %H:%M} UTC" if gate.decided_at else "an unknown time"
        super().__init__(f"Already {gate.decision} by {who} at {when}.")
        self.gate = gate


class Stale(Exception):
    """The decision names a plan revision that is no longer the one at the gate."""


@dataclass(frozen=True)
class Verdict:
    """A decision as a person gave it. `plan_digest` names what the person saw."""

    decision: Decision
    reply: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    plan_digest: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict)  # what changes and answers give


@transaction.atomic
def decide(gate: Gate, actor: AbstractBaseUser, verdict: Verdict, now: datetime) -> TuningSession:
    """Close a gate.

    Raises AlreadyDecided when someone was faster and Stale when the plan is another one by now.
    """
    if gate.plan and verdict.decision == Decision.APPROVED and verdict.plan_digest != gate.plan.digest:
        raise Stale(
            f"Revision {gate.plan.revision} of the plan is the one to decide about now; read it first."
        )
    # The session's row first, as in `cancel`: else the two could wait for each other.
    session = TuningSession.objects.select_for_update().get(pk=gate.session_id)
    closed = Gate.objects.filter(pk=gate.pk, decision=Decision.OPEN).update(
        decision=verdict.decision,
        decided_at=now,
        decided_by=actor.pk,
        reply=verdict.reply,
        answer=verdict.answer,
    )
    gate.refresh_from_db()
    if not closed:
        raise AlreadyDecided(gate)
    moved = change(
        session, f"gate-{verdict.decision}", describe(gate, actor, verdict), actor=actor,
        expected={"status": Status.WAITING},
        to={"status": Status.RUNNING, "wake_at": now, **consequences(session, gate, verdict)},
        level=Level.WARN if verdict.decision == Decision.REJECTED else Level.INFO,
        data={"gate": gate.kind, "reply": verdict.reply},
    )  # fmt: skip
    if not moved:
        raise Stale("The session does not wait for a decision any more; look at its page.")
    if gate.plan and verdict.decision == Decision.APPROVED:
        fill_ledger(session, gate.plan)
        leaving.put_aside(session, now)
    transaction.on_commit(partial(wake.advance_soon, session.public_id))
    return session


@transaction.atomic
def take_answers(
    gate: Gate, actor: AbstractBaseUser, verdict: Verdict, facts: str, now: datetime
) -> list[dict[str, Any]]:
    """Take answers into the session; returns the questions that are still open.

    The gate stays open for these. What was answered meanwhile, in another tab, stays answered. Raises what
    `decide` raises.
    """
    locked(gate)
    left = [
        each
        for each in gate.body.get("questions", [])
        if each["field"] not in verdict.entries and not is_moot(each["field"], verdict.entries)
    ]
    if not left:
        decide(gate, actor, verdict, now)
        return left
    gate.body = {**gate.body, "questions": left}
    gate.save(update_fields=["body"])
    keep(gate, actor, verdict.entries, f"answered in part: {facts}")
    return left


@transaction.atomic
def keep(gate: Gate, actor: AbstractBaseUser, entries: Mapping[str, Entry], did: str) -> None:
    """Take values into the session and leave the gate open. Raises AlreadyDecided."""
    session = locked(gate)
    change(
        session, "gate-part-answered", f"{actor.get_username()} {did}", actor=actor,
        to=taken(session, entries), data={"gate": gate.kind},
    )  # fmt: skip


def locked(gate: Gate) -> TuningSession:
    """The session's row, locked, with the gate as it is now. Raises AlreadyDecided when that is closed."""
    session = TuningSession.objects.select_for_update().get(pk=gate.session_id)
    gate.refresh_from_db()
    if not gate.is_open:
        raise AlreadyDecided(gate)
    return session


def describe(gate: Gate, actor: AbstractBaseUser, verdict: Verdict) -> str:
    """The decision in one line for the event log."""
    subject = f"plan revision {gate.plan.revision}" if gate.plan else f"the {gate.kind} gate"
    words = f": “{verdict.reply}”" if verdict.reply else ""
    verb = {Decision.CHANGES: "asked for changes to", Decision.ANSWERED: "answered"}.get(
        verdict.decision, str(verdict.decision)
    )
    return f"{actor.get_username()} {verb} {subject}{words}"


def taken(session: TuningSession, entries: Mapping[str, Entry]) -> dict[str, Any]:
    """The session's specification with these values; call it with the session's row locked."""
    if not entries:
        return {}
    return {"specification_json": with_changes(session.specification, entries).to_json()}


def consequences(session: TuningSession, gate: Gate, verdict: Verdict) -> dict[str, Any]:
    """What a decision changes in the session's row."""
    to = taken(session, verdict.entries)
    if verdict.decision == Decision.REJECTED:
        to |= {"cancel_requested_at": gate.decided_at}
    elif verdict.decision == Decision.APPROVED and gate.plan:
        # What was approved apart before, for readings of words, is not the plan's to spend.
        to["approved_amount"] = (gate.plan.cost_high or 0) + spending.committed(session)
    elif verdict.decision == Decision.APPROVED and gate.kind == GateKind.PROMOTION:
        to["winner_id"] = verdict.answer["candidate"]
    elif verdict.decision == Decision.APPROVED and gate.kind == GateKind.SPEND:
        to["approved_amount"] = Decimal(gate.body["amount"])
    return to


def fill_ledger(session: TuningSession, plan: Plan) -> None:
    """Copy the approved estimate into the ledger, line by line."""
    LedgerLine.objects.filter(session=session, reserved=None, actual=None).delete()
    for position, line in enumerate(plan.body["estimate"]["lines"]):
        LedgerLine.objects.update_or_create(
            session=session,
            item=line["item"],
            defaults={
                "label": line["label"],
                "group": line["group"],
                "phase": line["phase"],
                "position": position,
                "low": line["low"],
                "expected": line["expected"],
                "high": line["high"],
                "how": line["how"],
            },
        )


@transaction.atomic
def cancel(session: TuningSession, actor: AbstractBaseUser, now: datetime) -> bool:
    """Ask for the end of a session. False when it is over or already being cancelled.

    The engine stops launching, cancels what the session has running, and writes the report.
    """
    asked = change(
        session, "cancel-asked", f"{actor.get_username()} cancelled the session",
        actor=actor, level=Level.WARN,
        expected={"status__in": ALIVE, "cancel_requested_at": None, "ending": ""},
        to={"cancel_requested_at": now, "wake_at": now},
    )  # fmt: skip
    if asked:
        Gate.objects.filter(session=session, decision=Decision.OPEN).update(
            decision=Decision.WITHDRAWN, decided_at=now, decided_by=actor.pk
        )
        TuningSession.objects.filter(pk=session.pk, status=Status.WAITING).update(status=Status.RUNNING)
        session.refresh_from_db()
        transaction.on_commit(partial(wake.advance_soon, session.public_id))
    return asked
