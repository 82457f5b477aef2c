"""Conversations as token ids and loss weights: the chat template of the Qwen kind.

Each message is `<|im_start|>role\\n…<|im_end|>\\n`; loss is taken on what an assistant says and on its
`<|im_end|>`, unless the message has `weight: 0`. Texts are encoded so that a marker written inside a message
stays plain text: a dataset cannot forge turns.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from tokenizers import Tokenizer

START, END, STOP = "<|im_start|>", "<|im_end|>", "<|endoftext|>"


@dataclasses.dataclass(frozen=True)
class Rendered:
    """One conversation: ids [n] and loss weights [n]; weight i belongs to predicting token i."""

    ids: np.ndarray
    weights: np.ndarray

    @property
    def tokens(self) -> int:
        return len(self.ids)

    @property
    def trainable(self) -> bool:
        """Whether any token but the first (which nothing predicts) carries loss."""
        return bool((self.weights[1:] > 0).any())

    def cut(self, length: int) -> Rendered:
        return self if len(self.ids) <= length else Rendered(self.ids[:length], self.weights[:length])


def text_of(message: dict[str, Any]) -> str:
    """What a message says, as plain text: parts joined, reasoning and tool calls in their tags."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(
            str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in content
        )
    text = "" if content is None else str(content)
    if message.get("reasoning_content"):
        text = f"<think>\n{message['reasoning_content']}\n</think>\n\n{text}"
    calls = [
        json.dumps(call.get("function", call), ensure_ascii=False) for call in message.get("tool_calls") or []
    ]
    return "\n".join(
        [text] * bool(text or not calls) + [f"<tool_call>\n{call}\n</tool_call>" for call in calls]
    )


def with_tools(messages: Sequence[dict[str, Any]], tools: Sequence[Any] | None) -> list[dict[str, Any]]:
    """Messages with the list of tools, when there is one, written into the system message."""
    if not tools:
        return list(messages)
    listed = "\n".join(json.dumps(tool, ensure_ascii=False, sort_keys=True) for tool in tools)
    described = f"# Tools\n<tools>\n{listed}\n</tools>"
    if messages and messages[0].get("role") == "system":
        first = {**messages[0], "content": f"{text_of(messages[0])}\n\n{described}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": described}, *messages]


class Renderer:
    """Renders conversations with one tokenizer. Not for use by several threads at once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.encode_special_tokens = True
        self.tokenizer = tokenizer
        self.start, self.end, stop = (int(tokenizer.token_to_id(each) or 0) for each in (START, END, STOP))
        self.stop_ids = (self.end, stop)
        self.newline: list[int] = tokenizer.encode("\n").ids
        self._openings: dict[str, list[int]] = {}

    def opening(self, role: str) -> list[int]:
        """The ids of `<|im_start|>role\\n`."""
        if role not in self._openings:
            self._openings[role] = [self.start, *self.tokenizer.encode(f"{role}\n").ids]
        return self._openings[role]

    def prompt(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[Any] | None = None, *, thinking: bool = True
    ) -> list[int]:
        """Ids of a conversation that the assistant is to continue. The stand-ins never think."""
        del thinking
        rendered = self.render([{"messages": messages, "tools": tools}])[0]
        return [*rendered.ids.tolist(), *self.opening("assistant")]

    def render(self, rows: Iterable[dict[str, Any]]) -> list[Rendered]:
        """Conversations (`{"messages": […], "tools"?: […], "weight"?: float}`) as ids and weights, in
        order."""
        listed = [(with_tools(row["messages"], row.get("tools")), row.get("weight")) for row in rows]
        texts = [text_of(message) for messages, _ in listed for message in messages]
        encoded = iter(self.tokenizer.encode_batch_fast(texts) if texts else [])
        return [self._join(messages, weight, encoded) for messages, weight in listed]

    def _join(self, messages: Sequence[dict[str, Any]], row_weight: Any, encoded: Any) -> Rendered:
        ids: list[int] = []
        weights: list[float] = []
        scale = 1.0 if row_weight is None else float(row_weight)
        for message in messages:
            opening, body = self.opening(str(message.get("role"))), next(encoded).ids
            ids += [*opening, *body, self.end, *self.newline]
            given = message.get("weight")
            loss = (
                scale * (1.0 if given is None else float(given))
                if message.get("role") == "assistant"
                else 0.0
            )
            weights += [0.0] * len(opening) + [loss] * (len(body) + 1) + [0.0] * len(self.newline)
        return Rendered(np.asarray(ids, np.int32), np.asarray(weights, np.float32))
