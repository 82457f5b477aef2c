"""A reply as it came in at a gate, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.contrib.auth.models import AbstractBaseUser

from sessions.gatecard import Typed
from sessions.instructions import Reply
from sessions.models import Gate
from sessions.specification import Context


class Kind(StrEnum):
    """What came of a reply."""

    DECIDED = "decided"
    AGAIN = "again"  # not understood, or something is missing: the gate stays open
    MODELS = "models"  # the question was which base models there are: the gate stays open
    TOLD = "told"  # any other question: the gate stays open
    KEPT = "kept"  # some of the questions are answered, and kept: the gate stays open for the rest
    NOTED = "noted"  # something was done that is seen on the page: the gate stays open
    CLOSED = "closed"  # someone else was faster
    STALE = "stale"  # the plan is another one by now


# Where on the page it is said what came of an action; of any other, beside the reply box.
PLACES = {
    **{action: action for action in ("changes", "choose", "answer")},
    **dict.fromkeys(("propose", "take", "discard"), "reading"),
}


@dataclass(frozen=True)
class Outcome:
    """What came of a reply, in words for the person, and what was entered in case it must be put right."""

    kind: Kind
    text: str = ""
    typed: Typed = field(default_factory=Typed)
    lines: tuple[str, ...] = ()  # below the text, one fact each
    heard: Reply | None = None  # of a typed reply that was not understood

    @property
    def place(self) -> str:
        """Where the page says it: beside what was pressed, or on top when there is something else now."""
        if self.kind in {Kind.CLOSED, Kind.STALE}:
            return "page"
        return PLACES.get(self.typed.action, "reply")


@dataclass(frozen=True)
class Entered:
    """A reply as it came in: the gate, who replies, the form's fields (or only `reply`), and when."""

    gate: Gate
    actor: AbstractBaseUser
    form: dict[str, list[str]]
    now: datetime
    context: Context

    def first(self, name: str) -> str:
        return (self.form.get(name) or [""])[0].strip()

    def typed(self, faults: dict[str, str] | None = None) -> Typed:
        return Typed(self.first("reply"), self.form, faults or {}, self.first("action"))

    def again(self, text: str, faults: dict[str, str] | None = None) -> Outcome:
        return Outcome(Kind.AGAIN, text, self.typed(faults))
