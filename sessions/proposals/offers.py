"""What a person is offered beside words that were not understood: which model reads them, for how much."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings

from sessions import instructions
from sessions.actions import proposing, spending
from sessions.costs import money_exact
from sessions.instructions import Reading, Reply, ReplyKind
from sessions.models import Gate, ProposedReading
from sessions.models.reading import INSTRUCTION, REPLY
from sessions.proposals import request
from sessions.proposals.reader import Reader, reader
from sessions.specification import Context
from sessions.states import ReadingEnd


@dataclass(frozen=True)
class Offer:
    """One reading that can be asked for. `amount` is what it costs at the most (USD); `fault` says why it
    cannot be asked for, where it cannot."""

    source: str
    text: str
    lost: tuple[tuple[int, int], ...]
    reader: Reader
    body: dict[str, Any]
    amount: Decimal | None
    understood: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    @property
    def words(self) -> list[str]:
        """What was not understood."""
        return [self.text[start:end] for start, end in self.lost]

    @property
    def key(self) -> str:
        """What the person saw: the model and the most that it may cost."""
        return f"{self.reader.model} {self.amount}"

    @property
    def label(self) -> str:
        """The words on the button."""
        most = "" if self.amount is None else f", at most {money_exact(self.amount)}"
        return f"Let {self.reader.label} propose a reading{most}"

    def row(self) -> ProposedReading:
        """The row that an approval makes of it."""
        return ProposedReading(
            source=self.source,
            text=self.text,
            lost=[list(each) for each in self.lost],
            understood=self.understood,
            model=self.reader.model,
            request=self.body,
            amount=self.amount,
        )


def of_instruction(gate: Gate, context: Context) -> Offer | None:
    """The offer for what was not understood in the instruction; None once a person decided about one that
    was answered."""
    session = gate.session
    if gate.kind not in proposing.GATES or not session.not_understood:
        return None
    known = session.proposed_readings.filter(source=INSTRUCTION, error="").exclude(
        decision=ReadingEnd.WITHDRAWN
    )
    if known.exists():
        return None
    found = instructions.read(
        session.instruction, context.catalogue, account=context.account, datasets=context.datasets
    )
    return made(gate, INSTRUCTION, found, context)


def of_reply(gate: Gate, heard: Reply, context: Context) -> Offer | None:
    """The offer for a typed reply that was not understood; what was understood of it is kept beside it."""
    if gate.kind not in proposing.GATES or heard.kind != ReplyKind.NOT_UNDERSTOOD:
        return None
    entries = {name: entry.to_json() for name, entry in heard.reading.entries.items()}
    return made(gate, REPLY, heard.reading, context, entries)


def made(
    gate: Gate, source: str, found: Reading, context: Context, understood: dict[str, Any] | None = None
) -> Offer | None:
    who = reader(rehearsal=gate.session.rehearsal)
    lost = tuple((span.start, span.end) for span in found.not_understood)
    here = gate.session.rehearsal == settings.FIREWORKS["rehearsal"]
    if who is None or not lost or not here:
        return None
    body = request.body(found.text, lost, gate.session.workflow, context)
    amount = request.most(body, who.price) if who.price else None
    return Offer(source, found.text, lost, who, body, amount, understood or {}, why_not(gate, who, amount))


def why_not(gate: Gate, who: Reader, amount: Decimal | None) -> str:
    """Why the offer cannot be taken up; empty when it can."""
    session = gate.session
    if amount is None:
        return f"{who.label} could propose a reading, but its price is not known, so it is not asked."
    budget = session.value("budget")
    if budget and spending.committed(session) + amount > Decimal(budget):
        return f"{who.label} could propose a reading, but {money_exact(amount)} is beyond your budget."
    if session.proposed_readings.filter(decision=ReadingEnd.OPEN).exists():
        return "Another reading is open: take of it what is right, or discard it first."
    return ""
