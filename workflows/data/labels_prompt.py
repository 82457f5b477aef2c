"""How a model is asked for labels, and how its answer is read: the same way for base and tuned models.

The tuned model is trained on exactly what it is asked: the row's own system message, the prompt with the
label set, the conversation, and the label as the assistant's message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sessions.texts import text_of

from .labels import Messages
from .labels_extraction import key, mentions

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
LEAD = re.compile(
    r"^\W*(?:the\s+)?(?:labels?|answers?|categor(?:y|ies)|class(?:es)?|intents?)\W*(?:is|are)?\s*[:=]",
    re.IGNORECASE,
)
APART = re.compile(r"[\n,;]+")
CHARACTERS_A_TOKEN, SPARE_TOKENS = 2, 8  # generous: a label that is cut off would count as wrong
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
        lengths = sorted((len(each) for each in self.labels), reverse=True)
        room = sum(lengths[:SEVERAL_AT_MOST]) if self.multi else lengths[0]
        return -(-room // CHARACTERS_A_TOKEN) + SPARE_TOKENS

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
        that an answer of one label may mention it, and no other, in a sentence (`mentions`).
        """
        whole = THOUGHT.sub("", text).strip()
        said = LEAD.sub("", whole).strip()
        if exact := self.strict(whole) or self.strict(said):
            return exact
        parts = APART.split(said) if self.multi else [said, *said.splitlines()[:1]]
        found = [label for each in parts if (label := self._by_key.get(key(each)) or self._by_signs(each))]
        if found:
            return self._in_order(found if self.multi else found[:1])
        mentioned = self._mentions(said)
        return self._in_order(mentioned) if self.multi or len(mentioned) == 1 else None

    def _in_order(self, found: Sequence[str]) -> tuple[str, ...] | None:
        return tuple(sorted(set(found), key=self._places.__getitem__)) or None

    @cached_property
    def _places(self) -> dict[str, int]:
        return {label: place for place, label in enumerate(self.labels)}

    @cached_property
    def _by_key(self) -> dict[str, str]:
        return {key(label): label for label in reversed(self.labels)}

    def _by_signs(self, text: str) -> str | None:
        """The one label that is the same but for signs: `card-lost.` for `card_lost`, never C for C++."""
        alike = self._by_bare.get(_bare(text), [])
        return alike[0] if len(alike) == 1 else None

    @cached_property
    def _by_bare(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for label in self.labels:
            found.setdefault(_bare(label), []).append(label)
        return found

    @cached_property
    def _mentions(self) -> Callable[[str], tuple[str, ...]]:
        return mentions(self.labels)


def _bare(text: str) -> str:
    """What is left of a label without case, spaces and signs; of signs alone, the text itself."""
    return "".join(re.findall(r"[^\W_]+", text)).casefold() or text.strip()
