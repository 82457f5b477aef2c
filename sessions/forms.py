"""The form of a new session: strings by field name as typed, and values as the form would have them typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from sessions.specification import FIELDS, Entry, Field, FieldError, Specification, rate_text, show

FLAGS = ("final_run", "deploy", "drop_bad_rows", "register")
MANY = ("base_models",)
APART = "\n"
# Fields that have a box of their own; the others are said in the sentence, and carried along hidden.
BOXED = frozenset({
    "dataset", "evaluation_dataset", "base_models", "strategy", "lora_ranks", "learning_rates", "epochs",
    "tuning_samples", "parallel_jobs", "final_run", "deploy", "budget", "seed", "heldout_rows",
    "drop_bad_rows", "max_candidates", "title", "workflow", "criterion", "register",
})  # fmt: skip
# Fields with a place for their faults.
SHOWN = tuple(name for name in FIELDS if name in BOXED - {"drop_bad_rows"})


@dataclass(frozen=True)
class Typed:
    """What a person entered: the sentence, and strings by field name; blank means not given."""

    text: str
    fields: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and not any(
            self.get(name).strip() for name in ("dataset", "base_models", "title")
        )


def typed_fields(post: QueryDict) -> dict[str, str]:
    """The registry's fields as they came. A box that is not ticked sends nothing, beside it a hidden `no`."""
    found = {}
    for name in FIELDS:
        values = [value for value in post.getlist(name) if value.strip()]
        if name in FLAGS:
            found[name] = ("yes" if "yes" in values else "no") if values else ""
        else:
            found[name] = APART.join(values) if name in MANY else "".join(values[-1:])
    return found


def as_typed(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Values as the form would have them typed."""
    return {name: text_of(name, entry.value) for name, entry in entries.items() if name in FIELDS}


def text_of(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "learning_rates":
        return ", ".join(rate_text(each) for each in value)
    if isinstance(value, tuple | list):
        return (APART if name in MANY else ", ").join(str(each) for each in value)
    return str(value)


def given(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The entries that differ from their default: a box left as it was is nobody's choice."""
    return {name: entry for name, entry in entries.items() if entry.value != FIELDS[name].default}


@dataclass(frozen=True)
class Box:
    """One field as the page shows it."""

    field: Field
    text: str
    errors: tuple[FieldError, ...] = ()
    words: str = ""  # quoted from the sentence

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def label(self) -> str:
        return self.field.label

    @property
    def ghost(self) -> str:
        """The default as a faint hint inside an empty box."""
        return "" if self.field.default is None else show(self.name, self.field.default)

    @property
    def ticked(self) -> bool:
        return self.text == "yes" if self.text else bool(self.field.default)

    @property
    def is_set(self) -> bool:
        """Whether it is at fault or differs from its default: then it must be seen."""
        return bool(self.errors) or self.text not in ("", text_of(self.name, self.field.default))

    @property
    def values(self) -> list[str]:
        return [each for each in self.text.split(APART) if each]


class Boxes:
    """All fields of the form by name, for templates."""

    def __init__(
        self, typed: Typed, errors: Iterable[FieldError] = (), spec: Specification | None = None
    ) -> None:
        faults = list(errors)
        self.boxes = {
            name: Box(field, typed.get(name), tuple(e for e in faults if e.field == name), quoted(spec, name))
            for name, field in FIELDS.items()
        }

    def __getitem__(self, name: str) -> Box:
        return self.boxes[name]

    def __iter__(self) -> Iterator[Box]:
        return (self.boxes[name] for name in SHOWN)


def quoted(spec: Specification | None, name: str) -> str:
    """The words of the sentence that gave this field's value."""
    entry = spec.entry(name) if spec else None
    return entry.words if entry and entry.origin == "said" else ""
