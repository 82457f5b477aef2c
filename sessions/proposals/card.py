"""What the page, and the command line, show of a reading that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessions import objections
from sessions.models import Gate, ProposedReading
from sessions.proposals.answered import Item, Proposal, proposal
from sessions.specification import Context, Entry, Specification, short_name
from sessions.states import ReadingEnd


@dataclass(frozen=True)
class Card:
    """An open reading. Until it is answered there are neither items nor a problem."""

    reading: ProposedReading
    found: Proposal
    chosen: Sequence[str] = ()  # ticked in a form that must be put right

    @property
    def model(self) -> str:
        return short_name(self.reading.model)

    @property
    def words(self) -> list[str]:
        return [self.reading.text[start:end] for start, end in self.reading.lost]

    @property
    def key(self) -> str:
        """Changes when there is something else to decide about."""
        return f":{self.reading.pk}:{self.reading.is_over}"

    @property
    def items(self) -> tuple[Item, ...]:
        return self.found.items

    @property
    def can_be_taken(self) -> bool:
        return bool(self.found.entries())


def open_reading(gate: Gate) -> ProposedReading | None:
    """The reading that was asked for in a session and that no person decided about yet."""
    return gate.session.proposed_readings.filter(decision=ReadingEnd.OPEN).first()


def card(gate: Gate, now: Specification, context: Context, chosen: Sequence[str] = ()) -> Card | None:
    """The open reading of the gate's session beside the values that stand `now`."""
    reading = open_reading(gate)
    if reading is None:
        return None
    return Card(reading, looked_at(gate, reading, now, context), chosen)


def looked_at(gate: Gate, reading: ProposedReading, now: Specification, context: Context) -> Proposal:
    if not reading.is_over:
        return Proposal()

    def objection(name: str, entry: Entry) -> str:
        return objections.to_values(gate.session, {name: entry})

    return proposal(reading, now, context, objection)
