"""Who decided what in a session, and when, in the sentences of its report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sessions.costs import money_exact
from sessions.models import Gate, ProposedReading, TuningSession
from sessions.specification import FIELDS, short_name
from sessions.specification.values import words
from sessions.states import Decision, ReadingEnd

Dated = tuple[datetime, str]
DID = {
    Decision.CHANGES: "asked for changes to",
    Decision.WITHDRAWN: "cancelled the session instead of deciding about",
}


def decisions(session: TuningSession) -> list[str]:
    """Decisions at gates and about readings that a model proposed, in their order."""
    found = [*about_readings(session), *at_gates(session)]
    return [text for _, text in sorted(found, key=lambda each: each[0])]


def at_gates(session: TuningSession) -> Iterator[Dated]:
    for gate in session.gates.exclude(decision=Decision.OPEN):
        plan = f" revision {gate.plan.revision}" if gate.plan else ""
        said = f", in the words “{gate.reply}”" if gate.reply else ""
        did = DID.get(Decision(gate.decision), str(gate.decision))
        when = gate.decided_at or gate.opened_at
        yield when, f"{who(gate)} {did} the {gate.kind}{plan} at {stamp(gate.decided_at)}{said}"


def about_readings(session: TuningSession) -> Iterator[Dated]:
    """What was approved for a reading, and what became of it."""
    for each in session.proposed_readings.all():
        model, most = short_name(each.model), money_exact(each.amount)
        told = words([f"“{each.text[start:end]}”" for start, end in each.lost])
        by = each.approved_by.get_username()
        asked = f"{by} let {model} read {told} for {most} at the most, at {stamp(each.approved_at)}"
        yield each.approved_at, asked
        if each.decided_at:
            yield each.decided_at, f"{end(each, model)} at {stamp(each.decided_at)}"


def end(reading: ProposedReading, model: str) -> str:
    """What became of a reading."""
    by = reading.decided_by.get_username() if reading.decided_by else ""
    if reading.decision == ReadingEnd.TAKEN:
        labels = words([FIELDS[name].label if name in FIELDS else name for name in reading.taken])
        return f"{by} took of what {model} proposed: {labels}"
    if reading.decision == ReadingEnd.WITHDRAWN:
        return f"{model} was not asked any more"
    return f"{by} discarded what {model} proposed" if by else f"Nothing of what {model} proposed was taken"


def who(gate: Gate) -> str:
    return gate.decided_by.get_username() if gate.decided_by else "the portal"


def stamp(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "an unknown time"
