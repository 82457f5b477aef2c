"""The two ways to enter a session kept as one: a sentence that is typed fills the form, a form that is
changed writes the sentence. Pure, apart from the reading it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict

from sessions.forms import BOXED, Typed, as_typed, given, typed_fields
from sessions.instructions import Reading
from sessions.specification import FIELDS, Context, Entry, Specification, read_form, sentence

Read = Callable[[str], Reading]
DATA = frozenset({"dataset", "evaluation_dataset"})
ID_LENGTH = 12
LONGEST = 10_000  # characters of an instruction


@dataclass(frozen=True)
class Draft:
    """What is on the page: the sentence, the fields as typed, the sentence as the form last wrote it, and
    which fields were filled from the sentence (they are emptied when their words are taken out)."""

    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    written: str = ""
    said: frozenset[str] = frozenset()
    again: str = ""  # the session whose values it began with

    @property
    def typed(self) -> Typed:
        return Typed(self.text, self.fields)

    @property
    def carried(self) -> dict[str, str]:
        """Values that no box shows: without them a change in a box would take them out of the sentence."""
        return {name: text for name, text in self.fields.items() if text and name not in BOXED}

    @property
    def is_form_only(self) -> bool:
        """The sentence is the form's own: nobody typed it."""
        return self.text.split() == self.written.split()

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "fields": dict(self.fields),
            "written": self.written,
            "said": sorted(self.said),
            **({"again": self.again} if self.again else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Draft:
        fields = {name: str(text) for name, text in data.get("fields", {}).items() if name in FIELDS}
        said = frozenset(data.get("said", ())) & set(FIELDS)
        written, again = str(data.get("written", "")), str(data.get("again", ""))
        return cls(str(data.get("text", "")), fields, written, said, again)

    @classmethod
    def from_post(cls, post: QueryDict) -> Draft:
        text = post.get("instruction", "").replace("\r\n", "\n")[:LONGEST]
        said = frozenset(post.get("said", "").split(",")) & set(FIELDS)
        return cls(
            text,
            typed_fields(post),
            post.get("written", "").replace("\r\n", "\n"),
            said,
            post.get("again", "")[:ID_LENGTH],
        )


def fill_form(draft: Draft, read: Read) -> Draft:
    """The form as the sentence has it. What the sentence does not speak of stays as it is in the form."""
    entries = read(draft.text).entries
    gone = dict.fromkeys(draft.said - set(entries), "")
    return replace(draft, fields={**draft.fields, **gone, **as_typed(entries)}, said=frozenset(entries))


def left_over(reading: Reading, chosen: Mapping[str, Entry]) -> list[str]:
    """Words that the form cannot write again: what is at fault and not mended yet, each a sentence of its
    own, since beside a word that nobody knows it would not be read as a fault any more; then what was not
    understood, in one piece, since alone a part of it might be taken for a value."""
    faulty = {error.field for error in reading.errors} - set(chosen)
    faults = [f"{span.text.rstrip('.')}." for span in reading.spans if span.field in faulty]
    return [*faults, *(span.text for span in reading.not_understood)]


def write_sentence(draft: Draft, read: Read, context: Context) -> Draft:
    """The sentence as the form has it. Words that were not understood are kept at its end."""
    chosen = given(read_form(draft.fields, context).entries)
    own = sentence(Specification(chosen))
    kept = [] if draft.is_form_only else left_over(read(draft.text), chosen)
    text = " ".join([own, *kept]).strip()
    told = set(chosen) - (DATA - draft.said)
    return replace(draft, text=text, written=own if not kept else draft.written, said=frozenset(told))
