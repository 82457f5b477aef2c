"""Readings that a model proposes, on the command line: the offer, the approval, what was proposed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from sessions import proposed, replies
from sessions.entered import Entered, Outcome
from sessions.intake import shelf
from sessions.models import Gate
from sessions.models.reading import INSTRUCTION, REPLY
from sessions.proposals.card import Card, card
from sessions.proposals.offers import Offer, of_reply
from sessions.states import Decision

Form = dict[str, list[str]]


def form_of(options: dict[str, Any]) -> Form:
    """What `update` enters: a reply, or what becomes of a proposal."""
    if options["discard"]:
        return {"action": ["discard"]}
    if options["take"] is not None:
        names = [name.strip() for name in options["take"].split(",") if name.strip()]
        return {"action": ["take"], "take": names}
    return {"action": ["reply"], "reply": [options["instruction"]]}


def form_of_offer(text: str) -> Form:
    """What the offer's button would send."""
    return {"action": ["propose"], "source": [REPLY if text else INSTRUCTION], "reply": [text]}


def offered(entered: Entered) -> Offer:
    """The offer for these words."""
    found = proposed.offer(entered, replies.read)
    if found is None:
        raise CommandError("There are no words here that a model could read, or none that reads is served.")
    if found.fault:
        raise CommandError(found.fault)
    return found


def offer_facts(found: Offer) -> dict[str, Any]:
    return {"model": found.reader.model, "at_most_usd": str(found.amount), "not_understood": found.words}


def hint(entered: Entered, outcome: Outcome) -> str:
    """What to type to have a model read a reply that was not understood; empty where none is offered."""
    found = of_reply(entered.gate, outcome.heard, entered.context) if outcome.heard else None
    if found is None or found.fault:
        return ""
    verb = f"session propose {entered.gate.session.public_id} --at-most {found.amount} --instruction …"
    return f"{found.label}: {verb}"


def open_card(gate: Gate) -> Card | None:
    """The reading that waits for a person."""
    return card(gate, replies.planned(gate), shelf().context) if gate.decision == Decision.OPEN else None


def facts(found: Card | None) -> dict[str, Any] | None:
    """A proposal as JSON."""
    if found is None:
        return None
    items = [
        {
            "field": item.name,
            "value": item.value,
            "quote": item.quote,
            "present": item.present,
            "can_be_taken": item.entry is not None,
            "fault": item.fault,
        }
        for item in found.items
    ]
    told = {"problem": found.found.problem, "dropped": list(found.found.dropped), "values": items}
    return {"model": found.reading.model, "answered": found.reading.is_over, **told}


def lines(found: Card | None) -> Iterator[str]:
    """A proposal for a terminal."""
    if found is None:
        return
    if not found.reading.is_over:
        yield f"         {found.model} is asked to read your words"
        return
    yield f"         {found.model} proposes: {found.found.problem}".rstrip(": ")
    for item in found.items:
        note = f" ({item.fault})" if item.fault else f", now {item.present}"
        yield f"           {item.name}: {item.value}, from “{item.quote}”{note}"
    yield from (f"           {line}" for line in found.found.dropped)
    yield "         take with: --take FIELD,FIELD | --discard"
