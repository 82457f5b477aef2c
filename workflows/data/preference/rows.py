"""What a row of preference data must look like. Source: facts sheet 2, "DPO row", and 5.

A pair is `{input: {messages, tools?}, preferred_output: [one assistant message], non_preferred_output:
[one]}`: only the last turn differs. A prompt is `{messages}` of user and system messages alone, the last
one the user's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sessions import texts

from .. import tokens
from ..problems import WARNING
from ..rules import Finding, kind, message_findings

PREFERRED, OTHER = "preferred_output", "non_preferred_output"
UNASKED = "the prompt has tools; models are compared without them, so this row would be measured as another"
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt with the answer that is preferred and the other one."""

    prompt: tuple[Message, ...]
    preferred: str
    other: str

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Pair:
        """The pair of a faultless row."""
        answers = (text_of(row[side][0]) for side in (PREFERRED, OTHER))
        return cls(tuple(row["input"]["messages"]), *answers)

    @property
    def asked(self) -> str:
        """What the user said last."""
        return text_of(self.prompt[-1])


def text_of(message: Message) -> str:
    """A message's text."""
    return texts.text_of(message.get("content"))


def prompt_of(row: Mapping[str, Any]) -> list[Message]:
    """The messages that are asked, of a pair or of a prompt."""
    source = row.get("input", row)
    return list(source["messages"])


def prompt_key(messages: list[Message] | tuple[Message, ...]) -> bytes:
    """16 bytes that stand for a prompt: equal for texts that differ in white space alone."""
    said = [(str(each.get("role")), " ".join(text_of(each).split())) for each in messages]
    return hashlib.blake2b(orjson.dumps(said), digest_size=16).digest()


def tokens_of(row: Mapping[str, Any]) -> int:
    """Estimated tokens: of both conversations of a pair, prompts included, as they are trained on."""
    if "input" not in row:
        return tokens.of_sample(row)
    sides = ({"messages": [*row["input"]["messages"], row[side][0]]} for side in (PREFERRED, OTHER))
    return sum(map(tokens.of_sample, sides))


def pair_findings(row: Mapping[str, Any]) -> Iterator[Finding]:
    """Every broken rule of a row that claims to be a pair."""
    given = row.get("input")
    if not isinstance(given, dict):
        yield Finding("input.type", "input", f"input is a {kind(given)}, not an object with messages", given)
    else:
        yield from _prompt(given.get("messages"), "input.messages")
        tools = given.get("tools")
        if tools is not None and not isinstance(tools, list):
            yield Finding("tools.type", "input.tools", f"tools is a {kind(tools)}, not a list", tools)
        elif tools:
            yield Finding("tools.unasked", "input.tools", UNASKED, tools)
    sides = [list(_answer(row.get(side), side)) for side in (PREFERRED, OTHER)]
    yield from (finding for side in sides for finding in side)
    if not any(sides):
        preferred, other = (text_of(row[side][0]).strip() for side in (PREFERRED, OTHER))
        if preferred == other:
            yield Finding("pair.identical", PREFERRED, "both answers are the same", preferred)


def prompt_findings(row: Mapping[str, Any]) -> Iterator[Finding]:
    """Every broken rule of a row that claims to be a prompt without an answer."""
    yield from _prompt(row.get("messages"), "messages")
    if row.get("tools"):
        yield Finding("tools.unasked", "tools", UNASKED, row["tools"])


def _prompt(messages: Any, path: str) -> Iterator[Finding]:
    if not isinstance(messages, list):
        yield Finding("messages.type", path, f"messages is a {kind(messages)}, not a list", messages)
        return
    if not messages:
        yield Finding("prompt.empty", path, "there is no message to answer")
        return
    for at, message in enumerate(messages):
        yield from message_findings(message, f"{path}[{at}]", at)
    last = messages[-1]
    if isinstance(last, dict) and last.get("role") != "user":
        place = f"{path}[{len(messages) - 1}].role"
        yield Finding(
            "prompt.last", place, "the prompt does not end with the user's message", last.get("role")
        )
    elif isinstance(last, dict) and isinstance(last.get("content"), str) and not last["content"].strip():
        yield Finding("prompt.empty", f"{path}[{len(messages) - 1}].content", "the user's message is empty")
    if sum(isinstance(each, dict) and each.get("role") == "user" for each in messages) > 1:
        told = "the prompt has several turns; only the answer to the last is compared"
        yield Finding("prompt.turns", path, told, level=WARNING)


def _answer(answer: Any, side: str) -> Iterator[Finding]:
    if not isinstance(answer, list):
        yield Finding("answer.type", side, f"{side} is a {kind(answer)}, not a list with one message", answer)
        return
    if len(answer) != 1:
        count = f"{len(answer)} messages" if answer else "no message"
        yield Finding("answer.turns", side, f"{side} has {count}; one answer is compared", len(answer))
        return
    (message,) = answer
    path = f"{side}[0]"
    if isinstance(message, dict) and message.get("role") != "assistant":
        yield Finding("answer.role", f"{path}.role", "the answer is not the assistant's", message.get("role"))
        return
    found = [each for each in message_findings(message, path, 1) if each.rule != "content.empty"]
    yield from found
    if not found and not text_of(message).strip():
        yield Finding("answer.empty", f"{path}.content", "the answer is empty")
