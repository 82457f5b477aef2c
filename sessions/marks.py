"""The sentence cut into what was understood, what was not, and what says nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sessions.instructions import Reading, Span
from sessions.specification import FIELDS, show


@dataclass(frozen=True)
class Mark:
    """A piece of the sentence. `kind` is understood, fault, lost or plain; `means` says what it set."""

    text: str
    kind: str = "plain"
    means: str = ""


def marks(reading: Reading, labels: Mapping[str, str]) -> list[Mark]:
    """The whole text in pieces, in order; joined they are the text again. `labels`: what data is called."""
    return list(_pieces(reading, labels))


def _pieces(reading: Reading, labels: Mapping[str, str]) -> Iterator[Mark]:
    at = 0
    lost = set(reading.not_understood)
    for span in sorted({*reading.spans, *lost}, key=lambda each: (each.start, -each.end)):
        if span.start < at:
            continue
        if span.start > at:
            yield Mark(reading.text[at : span.start])
        yield _lost(span) if span in lost else _understood(reading, span, labels)
        at = span.end
    if at < len(reading.text):
        yield Mark(reading.text[at:])


def _lost(span: Span) -> Mark:
    means = f"Recognised as {span.field}, which has no place here" if span.field else "Not understood"
    return Mark(span.text, "lost", means)


def _understood(reading: Reading, span: Span, labels: Mapping[str, str]) -> Mark:
    label = FIELDS[span.field].label if span.field in FIELDS else span.field
    entry = reading.entries.get(span.field)
    fault = next((error.fault for error in reading.errors if error.field == span.field), "")
    value = (labels.get(str(entry.value)) or show(span.field, entry.value)) if entry else ""
    means = f"{label}: {'. '.join(filter(None, [value, fault]))}" if value or fault else label
    return Mark(span.text, "fault" if fault or not entry else "understood", means)
