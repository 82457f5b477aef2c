"""Preference pairs: rows checked, rendered, held as two conversations that differ in their last message."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from localfireworks.engine.chat import Rendered
from localfireworks.engine.dataset import Render, messages_fault

PREFERRED, OTHER = "preferred_output", "non_preferred_output"


@dataclasses.dataclass(frozen=True)
class Pair:
    """A prompt with the preferred and with the other answer; loss weights are 1 on the answers only.

    `reference` holds the log probabilities of both answers under the reference, in nats.
    """

    preferred: Rendered
    other: Rendered
    reference: tuple[float, float] = (0.0, 0.0)

    @property
    def tokens(self) -> int:
        """Both conversations count, prompts included."""
        return self.preferred.tokens + self.other.tokens

    @property
    def trainable(self) -> bool:
        """Whether both answers have a token that is predicted."""
        return self.preferred.trainable and self.other.trainable

    def cut(self, length: int) -> Pair:
        return dataclasses.replace(self, preferred=self.preferred.cut(length), other=self.other.cut(length))


def pair_fault(row: Any) -> str | None:
    """What keeps a row from being a preference pair, in words; None when nothing does."""
    if not isinstance(row, dict):
        return "the row is not a JSON object"
    given = row.get("input")
    if not isinstance(given, dict):
        return 'the field "input" must be an object with "messages"'
    if given.get("tools") is not None and not isinstance(given["tools"], list):
        return 'the field "input.tools" must be a list'
    faults = (
        messages_fault(given.get("messages"), "input.messages"),
        answer_fault(row, PREFERRED),
        answer_fault(row, OTHER),
    )
    return next((fault for fault in faults if fault), None)


def answer_fault(row: dict[str, Any], field: str) -> str | None:
    answer = row.get(field)
    if not isinstance(answer, list) or len(answer) != 1:
        return f'the field "{field}" must be a list with one assistant message'
    if isinstance(answer[0], dict) and answer[0].get("role") != "assistant":
        return f"{field}[0].role is {answer[0].get('role')!r}: it must be assistant"
    return messages_fault(answer, field)


def render_pairs(render: Render[Rendered], rows: Iterable[dict[str, Any]]) -> list[Pair]:
    """Rows as pairs; assistant messages of the prompt carry no loss."""
    sides = [conversation(row, side) for row in rows for side in (PREFERRED, OTHER)]
    rendered = render(sides)
    return [Pair(*both) for both in zip(rendered[::2], rendered[1::2], strict=True)]


def conversation(row: dict[str, Any], side: str) -> dict[str, Any]:
    prompt = [{**message, "weight": 0} for message in row["input"]["messages"]]
    return {"messages": [*prompt, {**row[side][0], "weight": 1}], "tools": row["input"].get("tools")}
