"""What a model answered, looked at: each value with its words, checked as if it were typed. Pure.

Nothing of an answer is believed: words that the person did not write, or that were understood already, drop
what they should prove, and what is not allowed cannot be taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sessions.actions import storable
from sessions.models import ProposedReading
from sessions.proposals.quotes import Unreadable, quoted, settings, short
from sessions.specification import FIELDS, Context, Entry, FieldError, Origin, Specification, show
from sessions.specification.quoting import listed
from sessions.specification.values import words as in_words

Objection = Callable[[str, Entry], str]


@dataclass(frozen=True)
class Item:
    """One value of a proposal. `entry` is None, and `fault` says why, where it cannot be taken."""

    name: str
    value: str
    quote: str
    present: str
    entry: Entry | None = None
    fault: str = ""
    by_model: bool = True

    @property
    def label(self) -> str:
        return FIELDS[self.name].label


@dataclass(frozen=True)
class Proposal:
    """What an answer comes to: the values, what was dropped in sentences, and why it cannot be read."""

    items: tuple[Item, ...] = ()
    dropped: tuple[str, ...] = ()
    problem: str = ""

    def entries(self) -> dict[str, Entry]:
        """What can be taken."""
        return {each.name: each.entry for each in self.items if each.entry}


def proposal(
    reading: ProposedReading, now: Specification, context: Context, objection: Objection
) -> Proposal:
    """The proposal in an answer, beside the values that stand `now`; what the portal itself understood of a
    reply comes first, unless the model read it otherwise. `objection` says what speaks against one entry."""
    own = tuple(understood(reading, now, objection))
    try:
        found = answer_of(reading)
    except Unreadable as why:
        return Proposal(own, (), str(why))
    items, dropped, taken_in = [], [], settings(reading, context)
    for name, given in found.items():
        try:
            quote = quoted(reading, name, given, taken_in)
            items.append(item(name, given["value"], quote, now, context, objection))
        except Unreadable as why:
            dropped.append(str(why))
    named = {each.name for each in own}
    kept = (each for each in items if each.name not in named)
    return Proposal((*own, *kept), tuple(dropped))


def understood(reading: ProposedReading, now: Specification, objection: Objection) -> Iterator[Item]:
    """What the grammar read of a reply that it did not understand as a whole."""
    for name, raw in reading.understood.items():
        if name in FIELDS:
            entry = Entry.from_json(raw)
            yield judged(name, entry, entry.words, now, objection, by_model=False)


def answer_of(reading: ProposedReading) -> Mapping[str, Any]:
    """The JSON object of an answer. Raises Unreadable."""
    text, name = reading.answer.strip(), reading.model.rsplit("/", 1)[-1]
    if reading.error:
        raise Unreadable(reading.error)
    if reading.detail.get("finish_reason") == "length":
        count = reading.detail.get("completion_tokens", 0)
        raise Unreadable(f"The answer of {name} was cut off after {count:,} tokens, so it cannot be read.")
    if not text:
        raise Unreadable(f"{name} gave no answer.")
    try:
        found = storable.json(json.loads(text, parse_constant=refuse))  # no half letters on a page
    except (ValueError, RecursionError):
        raise Unreadable(f"{name} answered in other words than asked for: “{short(text)}”") from None
    if not isinstance(found, dict):
        raise Unreadable(f"{name} answered something else than settings: “{short(text)}”")
    return found


def refuse(word: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(word)


def item(
    name: str, value: Any, quote: str, now: Specification, context: Context, objection: Objection
) -> Item:
    """One value, read from text as a typed one is."""
    if isinstance(value, list) and any(isinstance(each, list | dict) for each in value):
        raise Unreadable(f"{FIELDS[name].label}: “{quote}” came with lists in a list: dropped.")
    text = typed(name, value)
    if not text.strip():
        raise Unreadable(f"{FIELDS[name].label}: “{quote}” came without a value: dropped.")
    try:
        entry = Entry(FIELDS[name].parse(text, context), Origin.PROPOSED, quote)
    except FieldError as fault:
        return Item(name, short(told(value)), quote, present(name, now), fault=str(fault))
    return judged(name, entry, quote, now, objection)


def judged(
    name: str, entry: Entry, quote: str, now: Specification, objection: Objection, *, by_model: bool = True
) -> Item:
    """A good value: whether it changes anything, and whether it can be taken into this session."""
    same = entry.value == now.value(name, FIELDS[name].default)
    fault = "It is so already." if same else objection(name, entry)
    kept = None if fault else entry
    return Item(name, show(name, entry.value), quote, present(name, now), kept, fault, by_model)


def present(name: str, now: Specification) -> str:
    return show(name, now.value(name, FIELDS[name].default))


def typed(name: str, value: Any) -> str:
    """A JSON value, at most a flat list, as a person would type it into the field."""
    if isinstance(value, list):
        parts = [one(each) for each in value]
        return listed(parts) if name == "labels" else "\n".join(parts)
    return one(value)


def one(value: Any) -> str:
    """A single JSON value as text; empty for what is none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None or isinstance(value, dict) else str(value)


def told(value: Any) -> str:
    """A value that is not allowed, for the person."""
    return in_words([one(each) for each in value]) if isinstance(value, list) else one(value)
