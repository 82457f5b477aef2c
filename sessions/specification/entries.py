"""What a run is: values by field name, each with its origin. Immutable and JSON-stable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Origin(StrEnum):
    """Where a value came from; `said` is the instruction, `answer` a reply at a gate, `proposed` a person's
    words as a language model read them and the person took them."""

    SAID = "said"
    FORM = "form"
    ANSWER = "answer"
    PROPOSED = "proposed"
    DATA = "data"
    DEFAULT = "default"

    @property
    def label(self) -> str:
        return ORIGIN_LABELS[self]

    @property
    def by_person(self) -> bool:
        """True for what a person typed or chose, in whatever way."""
        return self in {Origin.SAID, Origin.FORM, Origin.ANSWER, Origin.PROPOSED}

    @property
    def quotes(self) -> bool:
        """True where the words of an entry are the person's own, and say more than its value."""
        return self in {Origin.SAID, Origin.PROPOSED}


ORIGIN_LABELS = {
    Origin.SAID: "you said",
    Origin.FORM: "you chose",
    Origin.ANSWER: "you answered",
    Origin.PROPOSED: "you said, proposed by a model and taken by you",
    Origin.DATA: "from the data",
    Origin.DEFAULT: "default",
}


class Workflow(StrEnum):
    SFT = "sft"
    PREFERENCE = "preference"
    CLASSIFICATION = "classification"
    AUTHORING = "authoring"


class FieldError(ValueError):
    """One fault in one field: what is wrong, and what to do about it, in plain words."""

    def __init__(self, field: str, fault: str, remedy: str) -> None:
        super().__init__(f"{fault} {remedy}".strip())
        self.field, self.fault, self.remedy = field, fault, remedy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldError) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.field, self.fault, self.remedy))

    def to_json(self) -> dict[str, str]:
        return {"field": self.field, "fault": self.fault, "remedy": self.remedy}


@dataclass(frozen=True)
class Entry:
    """One value, where it came from, and the words (quoted, or the rule that gave it)."""

    value: Any
    origin: Origin
    words: str = ""

    def to_json(self) -> dict[str, Any]:
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"value": value, "origin": str(self.origin), "words": self.words}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Entry:
        value = data["value"]
        value = tuple(value) if isinstance(value, list) else value
        return cls(value, Origin(data["origin"]), data.get("words", ""))


@dataclass(frozen=True)
class Specification:
    """Immutable mapping of field name to `Entry`. Fields that nobody set are absent until `resolve`."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", MappingProxyType(dict(self.entries)))

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __hash__(self) -> int:
        return hash(self.digest())

    def entry(self, name: str) -> Entry | None:
        return self.entries.get(name)

    def value(self, name: str, default: Any = None) -> Any:
        """The field's value, or `default` where nobody has set it."""
        entry = self.entries.get(name)
        return default if entry is None else entry.value

    def values(self) -> dict[str, Any]:
        return {name: entry.value for name, entry in self.entries.items()}

    def with_entries(self, entries: Mapping[str, Entry]) -> Specification:
        return Specification({**self.entries, **entries})

    def without(self, *names: str) -> Specification:
        return Specification({name: entry for name, entry in self.entries.items() if name not in names})

    def by_person(self) -> Specification:
        """Only what a person decided: the part that survives a new plan revision."""
        return Specification({name: entry for name, entry in self.entries.items() if entry.origin.by_person})

    def to_json(self) -> dict[str, Any]:
        return {name: self.entries[name].to_json() for name in sorted(self.entries)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Specification:
        return cls({name: Entry.from_json(entry) for name, entry in data.items()})

    def digest(self) -> str:
        """sha256 (hex) of the values alone: a form and a sentence that mean the same give the same."""
        values = {name: entry.to_json()["value"] for name, entry in self.entries.items()}
        canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
