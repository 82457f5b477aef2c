"""Whether words that a model quotes prove a value: the person wrote them, and they were not understood."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sessions import instructions
from sessions.instructions.tokens import PLAIN
from sessions.models import ProposedReading
from sessions.proposals.request import offered
from sessions.specification import FIELDS, Context, Entry

SHOWN = 200  # characters of an answer or a quote
AROUND = 3  # words beside those that were not understood: “the rank” before “being sixteen”
Places = Sequence[tuple[int, int]]


class Unreadable(ValueError):
    """The answer is not what was asked for; the text says it in plain words."""


def short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def quoted(reading: ProposedReading, name: str, given: Any, taken_in: Places) -> str:
    """The quote of one value, as the person wrote it. Raises Unreadable when it proves nothing: it is of
    one piece that was not understood and a few words around it, and holds no setting (`taken_in`)."""
    if name not in FIELDS or name not in offered(reading.request):
        raise Unreadable(f"“{short(name)}” is no setting that could be named here: dropped.")
    label = FIELDS[name].label
    shaped = isinstance(given, dict) and isinstance(given.get("quote"), str) and "value" in given
    if not shaped:
        raise Unreadable(f"{label}: it came without words or without a value: dropped.")
    quote = short(given["quote"])
    places = list(occurrences(given["quote"], reading.text))
    if not places:
        raise Unreadable(f"{label}: it quotes “{quote}”, which you did not write: dropped.")
    fresh = [place for place in places if any(overlap(place, piece) for piece in reading.lost)]
    if not fresh:
        raise Unreadable(f"{label}: “{quote}” was understood already: dropped.")
    for place in fresh:
        if proves(place, reading, taken_in):
            return reading.text[slice(*place)]
    raise Unreadable(f"{label}: “{quote}” is more than the words that were not understood: dropped.")


def proves(place: tuple[int, int], reading: ProposedReading, taken_in: Places) -> bool:
    """Whether a quote is one piece that was not understood, or part of it, with little beside."""
    if any(overlap(place, each) for each in taken_in):
        return False
    return min(beside(place, piece, reading.text) for piece in reading.lost) <= AROUND


def overlap(one: Sequence[int], other: Sequence[int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def beside(place: tuple[int, int], piece: Sequence[int], text: str) -> int:
    """How many words of a place are not of this piece."""
    before, after = text[place[0] : max(place[0], piece[0])], text[min(place[1], piece[1]) : place[1]]
    if not overlap(place, piece):
        before, after = text[slice(*place)], ""
    return len(re.findall(r"\w+", before)) + len(re.findall(r"\w+", after))


def settings(reading: ProposedReading, context: Context) -> list[tuple[int, int]]:
    """Where words were understood as settings, by the instruction's grammar or in the reply."""
    found = instructions.read(
        reading.text,
        context.catalogue,
        account=context.account,
        datasets=context.datasets,
        served=context.served,
    )
    places = [(span.start, span.end) for span in found.spans]
    for raw in reading.understood.values():
        places += occurrences(Entry.from_json(raw).words, reading.text)
    return [place for place in places if not any(overlap(place, piece) for piece in reading.lost)]


def occurrences(quote: str, text: str) -> Iterator[tuple[int, int]]:
    """Where whole words of a text are these, whatever their case, blanks and typographic signs."""
    pieces = [re.escape(piece) for piece in quote.translate(PLAIN).split()]
    if any(letter.isalnum() for letter in quote):
        pattern = r"(?<!\w)" + r"\s+".join(pieces) + r"(?!\w)"
        for found in re.finditer(pattern, text.translate(PLAIN), re.IGNORECASE):
            yield found.span()
