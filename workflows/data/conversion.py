"""Conversions that bring rows into the chat format. They write a new file; the original is only read.

- function_calls: OpenAI's older function calls become tool calls (`legacy`).
- developer_roles: OpenAI's `developer` messages become system messages.
- ground_truth: a row that ends with a user turn gets its ground truth as the assistant's answer.
- tool_roles: `tool` and `function` messages become user messages; an assistant's tool calls become its text.
- content_parts: a content that is a list of text parts becomes one text, parts joined by a newline.

Lines that are not JSON objects, and blank ones, are copied as they are, so line numbers stay the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .legacy import is_legacy, modern_messages, modern_tools
from .lines import OverLong, batches
from .rules import DEVELOPER, TOOL_LIKE, wants_answer
from .scan import CONTENT_PARTS, DEVELOPER_ROLES, FUNCTION_CALLS, GROUND_TRUTH, TOOL_ROLES
from .staging import atomic

KINDS = (FUNCTION_CALLS, DEVELOPER_ROLES, GROUND_TRUTH, TOOL_ROLES, CONTENT_PARTS)
OPTIONAL = (TOOL_ROLES, CONTENT_PARTS)  # Fireworks takes such rows as they are
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Converted:
    """The new file: `rows` decoded rows of which `changed` differ; SHA-256 in hex."""

    path: Path
    rows: int
    changed: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Example:
    """One changed row: physical line, the row before and after."""

    line: int
    before: Row
    after: Row


def answer_text(truth: Any) -> str:
    """A ground truth as an answer: text as it is, a list of texts joined by ", ", anything else as JSON."""
    if isinstance(truth, str):
        return truth
    if isinstance(truth, list) and all(isinstance(each, str) for each in truth):
        return ", ".join(truth)
    return orjson.dumps(truth).decode()


def flat(content: Any) -> Any:
    """A list of text parts as one text; anything else, images included, unchanged."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") if isinstance(part, Mapping) else None for part in content]
    if not all(isinstance(text, str) for text in texts):
        return content
    return "\n".join(str(text) for text in texts)


def _told(message: Row) -> Row:
    """A message without tool roles and calls, saying the same in text."""
    if message.get("role") in TOOL_LIKE:
        name = message.get("name")
        lead = f"Result of {name}:" if isinstance(name, str) and name else "Result of the tool:"
        return {"role": "user", "content": f"{lead}\n{flat(message.get('content')) or ''}"}
    calls = message.get("tool_calls")
    if not isinstance(calls, list) or not calls:
        return message
    rest = {key: value for key, value in message.items() if key != "tool_calls"}
    written = "\n".join(_call(call) for call in calls)
    said = flat(message.get("content"))
    return {**rest, "content": f"{said}\n{written}" if said else written}


def _call(call: Any) -> str:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        return f"Call: {orjson.dumps(call).decode()}"
    arguments = function.get("arguments")
    shown = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    return f"Call: {function.get('name')}({shown})"


def convert_row(row: Row, kinds: Collection[str]) -> Row:
    """One row converted; the same object when nothing applies. The given row is not changed."""
    messages = row.get("messages")
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        return row
    made, old = messages, FUNCTION_CALLS in kinds and is_legacy(row)
    if old:
        row = modern_tools(row)
        made = modern_messages(messages)
        made = [_told(message) if message.get("role") == "function" else message for message in made]
    if DEVELOPER_ROLES in kinds:
        made = [
            {**message, "role": "system"} if message.get("role") == DEVELOPER else message for message in made
        ]
    if TOOL_ROLES in kinds:
        made = [_told(message) for message in made]
    if CONTENT_PARTS in kinds:
        made = [
            {**message, "content": flat(message["content"])} if "content" in message else message
            for message in made
        ]
    if GROUND_TRUTH in kinds and wants_answer(row):
        made = [*made, {"role": "assistant", "content": answer_text(row["ground_truth"])}]
    if made == messages and not old:
        return row
    rest = {key: value for key, value in row.items() if not (TOOL_ROLES in kinds and key == "tools")}
    return {**rest, "messages": made}


def decoded(line: bytes) -> Row | None:
    """The row of a line; None for a line that is too long, no JSON, or no object."""
    if type(line) is OverLong:
        return None
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


def convert(path: Path, target: Path, kinds: Collection[str]) -> Converted:
    """Write the converted file. Unchanged rows keep their bytes; line endings become "\\n".

    Raises ValueError for an unknown kind or when `target` is the original.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"unknown conversion {', '.join(sorted(unknown))}; known are {', '.join(KINDS)}")
    if target.exists() and target.samefile(path):
        raise ValueError("a conversion never overwrites the original")
    rows = changed = 0
    with atomic(target) as out:
        for batch in batches(path):
            for line in batch.lines:
                row = decoded(line)
                after = convert_row(row, kinds) if row is not None else None
                rows += row is not None
                changed += after is not row
                out.write((line if after is row or after is None else orjson.dumps(after)) + b"\n")
    return Converted(target, rows, changed, out.bytes, out.sha256)


def preview(path: Path, kinds: Collection[str], limit: int = 3) -> list[Example]:
    """The first `limit` rows that the conversions would change, before and after. Writes nothing."""
    found: list[Example] = []
    for batch in batches(path):
        for at, line in enumerate(batch.lines, batch.first):
            row = decoded(line)
            after = convert_row(row, kinds) if row is not None else None
            if row is not None and after is not None and after is not row:
                found.append(Example(at, row, after))
            if len(found) == limit:
                return found
    return found
