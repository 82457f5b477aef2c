"""How a model is asked for labels, and how its answer is read: the same way for base and tuned models.

The tuned model is trained on exactly what it is asked: the row's own system message, the prompt with the
label set, the conversation, and the label as the assistant's message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sessions.texts import text_of

from .labels import Messages
from .labels_reading import LEAD, Names

PLACE = "{labels}"
ONE = (
    "Classify the conversation. Answer with exactly one of these labels, as it is written here, and with "
    f"nothing else:\n{PLACE}"
)
SEVERAL = (
    "Classify the conversation. Answer with every one of these labels that applies, as it is written here, "
    f"one on each line, and with nothing else:\n{PLACE}"
)
THOUGHT = re.compile(r"<think>.*?(</think>|$)", re.DOTALL)
CHARACTERS_A_TOKEN, SPARE_TOKENS = 2, 8  # generous: a label that is cut off would count as wrong
TOKENS_A_SIGN = 2  # of a character beyond ASCII
SEVERAL_AT_MOST = 12  # labels that an answer has room for


@dataclass(frozen=True)
class Prompt:
    """The label set and the words around it. `text` may hold `{labels}`; else the list follows it."""

    labels: tuple[str, ...]
    multi: bool = False
    text: str = ""

    @cached_property
    def instruction(self) -> str:
        """What the model is told, with the label set in its place."""
        template = self.text or (SEVERAL if self.multi else ONE)
        template = template if PLACE in template else f"{template}\n{PLACE}"
        return template.replace(PLACE, "\n".join(self.labels))

    @property
    def max_tokens(self) -> int:
        """Room for the longest answer that is right."""
        longest = sorted(map(tokens_at_most, self.labels), reverse=True)
        return sum(longest[: SEVERAL_AT_MOST if self.multi else 1]) + SPARE_TOKENS

    def messages(self, asked: Messages) -> Messages:
        """The conversation as it is sent: one system message, then its turns as plain texts."""
        own = [text_of(each.get("content")) for each in asked if each.get("role") == "system"]
        turns = [
            {"role": each["role"], "content": text_of(each.get("content"))}
            for each in asked
            if each.get("role") != "system"
        ]
        return [{"role": "system", "content": "\n\n".join([*own, self.instruction])}, *turns]

    def answer(self, labels: Sequence[str]) -> str:
        """The right answer: the labels in the order of the set, one on each line."""
        return "\n".join(each for each in self.labels if each in labels)

    def training_row(self, asked: Messages, labels: Sequence[str]) -> dict[str, Any]:
        """A row that trains what is asked."""
        return {"messages": [*self.messages(asked), {"role": "assistant", "content": self.answer(labels)}]}

    def strict(self, text: str) -> tuple[str, ...] | None:
        """The labels of an answer that is written exactly as asked; None for any other."""
        found = text.strip().split("\n") if self.multi else [text.strip()]
        exact = all(each in self._places for each in found) and len(set(found)) == len(found)
        return self._in_order(found) if exact else None

    def lenient(self, text: str) -> tuple[str, ...] | None:
        """The labels that an answer means; None when it means none of the set.

        Case, spaces, quotes, markup, a leading “Label:” and a thought before the answer do not count. Beyond
        that an answer of one label may mention it, and no other, in a sentence (`mentions`). An answer of
        several ends with OUTSIDE where it lists a label that is none of the set.
        """
        whole = THOUGHT.sub("", text).strip()
        said = LEAD.sub("", whole).strip()
        if exact := self.strict(whole) or self.strict(said):
            return exact
        if self.multi:
            return self._in_order(self._names.several(said) or self._names.mentioned(said))
        label = next(filter(None, map(self._names.of, [said, *said.splitlines()[:1]])), None)
        mentioned = (label,) if label else self._names.mentioned(said)
        return self._in_order(mentioned) if len(mentioned) == 1 else None

    def _in_order(self, found: Sequence[str]) -> tuple[str, ...] | None:
        last = len(self.labels)
        return tuple(sorted(set(found), key=lambda each: self._places.get(each, last))) or None

    @cached_property
    def _places(self) -> dict[str, int]:
        return {label: place for place, label in enumerate(self.labels)}

    @cached_property
    def _names(self) -> Names:
        return Names(self.labels)


def tokens_at_most(label: str) -> int:
    """Tokens of a label, rather too many: beyond ASCII a character may take two."""
    plain = sum(each.isascii() for each in label)
    return -(-plain // CHARACTERS_A_TOKEN) + TOKENS_A_SIGN * (len(label) - plain)
