"""What a person does about readings that a model proposes: approve one, take what is right, discard it."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from sessions.actions import proposing
from sessions.actions.gates import AlreadyDecided
from sessions.actions.proposing import Refused
from sessions.entered import Entered, Kind, Outcome
from sessions.gatecard import decided
from sessions.instructions import Reply
from sessions.models import ProposedReading
from sessions.models.reading import INSTRUCTION
from sessions.proposals.card import card, open_reading
from sessions.proposals.offers import Offer, of_instruction, of_reply
from sessions.specification import FIELDS, Entry, Specification, show
from sessions.states import ReadingEnd

Read = Callable[[Entered], Reply]
Taken = Callable[[Entered, dict[str, Entry]], Outcome]
ASKED = "{} is asked. Its proposal is shown here in a moment; nothing of it is taken before you say so."


def offer(entered: Entered, read: Read) -> Offer | None:
    """What can be offered for the words that the form names: those of the instruction, or a typed reply."""
    if entered.first("source") == INSTRUCTION:
        return of_instruction(entered.gate, entered.context)
    return of_reply(entered.gate, read(entered), entered.context) if entered.first("reply") else None


def propose(entered: Entered, read: Read) -> Outcome:
    """The press: the approval of this one spend, for the model and the amount that the person saw."""
    found = offer(entered, read)
    if found is None:
        return entered.again("There are no words here that a model could read.")
    if found.fault:
        return entered.again(found.fault)
    if entered.first("offer") != found.key:
        return entered.again(f"The offer is another one by now: {found.label}. Look at it and press again.")
    try:
        proposing.approve(entered.gate, entered.actor, found.row(), how(found), entered.now)
    except Refused as why:
        return entered.again(str(why))
    except AlreadyDecided as late:
        return Outcome(Kind.CLOSED, decided(late.gate), entered.typed())
    return Outcome(Kind.NOTED, ASKED.format(found.reader.label))


def how(found: Offer) -> str:
    """How the most that it costs was worked out."""
    price = found.reader.price
    if price is None:
        return ""
    answer = f"an answer of {found.body['max_tokens']:,} tokens × ${price.output}"
    return f"One completion: the words and the settings × ${price.input}, {answer} per 1M, at the most."


def take(entered: Entered, now: Specification, taken: Taken) -> Outcome:
    """Take the ticked values into the session, as the person's words; the others change nothing. `taken` is
    what the same values do when they are typed at this gate."""
    names = entered.form.get("take", [])
    shown = card(entered.gate, now, entered.context, names)
    if shown is None or not shown.reading.is_over:
        return entered.again("There is no reading to take from.")
    can = shown.found.entries()
    if not names:
        return entered.again("Nothing is ticked. Tick what is right, or discard the reading.")
    if wrong := [name for name in names if name not in can]:
        label = FIELDS[wrong[0]].label if wrong[0] in FIELDS else wrong[0]
        return entered.again(f"{label} cannot be taken as it was proposed.")
    return settled(entered, shown.reading, {name: can[name] for name in can if name in names}, taken)


def settled(entered: Entered, reading: ProposedReading, entries: dict[str, Entry], taken: Taken) -> Outcome:
    """The reading is closed and its values are taken, both or neither."""
    told = (f"{FIELDS[name].label.lower()}: {show(name, entry.value)}" for name, entry in entries.items())
    facts = "; ".join(told)
    with transaction.atomic():
        try:
            proposing.close(reading, entered.actor, entered.now, ReadingEnd.TAKEN, entries, facts)
        except Refused as why:
            return entered.again(str(why))
        outcome = taken(entered, entries)
        if outcome.kind not in {Kind.DECIDED, Kind.KEPT}:
            transaction.set_rollback(True)
    return Outcome(Kind.NOTED, outcome.text) if outcome.kind == Kind.KEPT else outcome


def discard(entered: Entered) -> Outcome:
    """Keep everything as it is."""
    reading = open_reading(entered.gate)
    if reading is None:
        return entered.again("There is no reading to discard.")
    try:
        proposing.close(reading, entered.actor, entered.now, ReadingEnd.DISCARDED)
    except Refused as why:
        return entered.again(str(why))
    return Outcome(Kind.NOTED, "The reading is put aside. Everything stays as it was.")
