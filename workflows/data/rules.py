"""What a supervised fine-tuning row must look like. Source: facts sheet 2, "SFT row".

`{messages: [{role, content, weight?, reasoning_content?, tool_calls?}], tools?, weight?}`; content is a
text or a list of {type: text, text}; system only first; something to train on. OpenAI's older `function_call`
and `functions` are taken too: a conversion turns them into tool calls. So is its role `developer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any, NamedTuple

from .problems import ERROR, WARNING

ROLES = frozenset({"system", "user", "assistant", "tool"})
TOOL_LIKE = frozenset({"tool", "function"})  # `function` is of OpenAI's older files
DEVELOPER = "developer"  # OpenAI's newer name of `system`; a conversion makes it that
SYSTEM_LIKE = frozenset({"system", DEVELOPER})
SFT_ROLES = ROLES | TOOL_LIKE | {DEVELOPER}
FIELDS = frozenset({"messages", "tools", "functions", "function_call", "weight", "ground_truth"})
IMAGES = frozenset({"image_url", "image", "input_image"})


class Finding(NamedTuple):
    """A broken rule in one row: field path, what is wrong in words, the value to show."""

    rule: str
    field: str
    message: str
    value: Any = None
    level: str = ERROR


def row_findings(row: Any) -> Iterator[Finding]:
    """Every broken rule of a decoded row that claims to be a chat sample."""
    if not isinstance(row, dict):
        yield Finding("row.object", "", f"the line is a JSON {kind(row)}, not an object", row)
        return
    messages = row.get("messages")
    if not isinstance(messages, list):
        yield Finding("messages.type", "messages", f"messages is a {kind(messages)}, not a list", messages)
        return
    if not messages:
        yield Finding("messages.empty", "messages", "messages is empty")
        return
    for at, message in enumerate(messages):
        yield from message_findings(message, f"messages[{at}]", at, SFT_ROLES)
    yield from _tools(row.get("tools"), "tools")
    yield from _tools(row.get("functions"), "functions")
    yield from _row_weight(row.get("weight"))
    yield from _trainable(messages, row)


def other_fields(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The row's fields beside those that training or a conversion reads."""
    return tuple(key for key in row if key not in FIELDS)


def kind(value: Any) -> str:
    """The JSON name of a value's type."""
    if value is None:
        return "null"
    names = {dict: "object", list: "list", str: "text", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), type(value).__name__)


def message_findings(
    message: Any, path: str, at: int, roles: Set[str] = ROLES | TOOL_LIKE
) -> Iterator[Finding]:
    """Every broken rule of one message: the one at place `at` of the conversation, at `path` in the row."""
    if not isinstance(message, dict):
        yield Finding("message.type", path, f"the message is a {kind(message)}, not an object", message)
        return
    yield from _role(message, path, at, roles)
    yield from _content(message, path)
    yield from _extras(message, path)


def _role(message: Mapping[str, Any], path: str, at: int, roles: Set[str]) -> Iterator[Finding]:
    role, path = message.get("role"), f"{path}.role"
    if role is None:
        yield Finding("role.missing", path, "the message has no role")
    elif not isinstance(role, str) or role not in roles:
        shown = role if isinstance(role, str) else kind(role)
        yield Finding("role.unknown", path, f"the role {shown[:40]!r} is not known", role)
    elif role in SYSTEM_LIKE and at:
        yield Finding("system.position", path, "a system message may only come first")


def _content(message: Mapping[str, Any], path: str) -> Iterator[Finding]:
    content, path = message.get("content"), f"{path}.content"
    if content is None:
        if not _calls(message):
            yield Finding("content.missing", path, "the message has no content")
    elif isinstance(content, list):
        for at, part in enumerate(content):
            yield from _part(part, f"{path}[{at}]")
    elif not isinstance(content, str):
        yield Finding("content.type", path, f"content is a {kind(content)}", content)
    elif message.get("role") == "assistant" and not content.strip() and not _calls(message):
        yield Finding("content.empty", path, "the assistant's answer is empty", level=WARNING)


def _part(part: Any, path: str) -> Iterator[Finding]:
    what = part.get("type") if isinstance(part, dict) else None
    if isinstance(what, str) and what in IMAGES:
        yield Finding("content.image", path, "the content holds an image", what)
    elif not isinstance(part, dict) or what != "text" or not isinstance(part.get("text"), str):
        yield Finding("content.part", path, "the part is not {type: text, text: ...}", part)


def _extras(message: Mapping[str, Any], path: str) -> Iterator[Finding]:
    weight = message.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        yield Finding("weight.value", f"{path}.weight", "the weight of a message is 0 or 1", weight)
    reasoning = message.get("reasoning_content")
    if reasoning is not None and not isinstance(reasoning, str):
        yield Finding("reasoning.type", f"{path}.reasoning_content", f"it is a {kind(reasoning)}", reasoning)
    calls = message.get("tool_calls")
    if calls is not None and not (isinstance(calls, list) and all(map(_is_call, calls))):
        yield Finding("tool_calls.type", f"{path}.tool_calls", "tool_calls is not a list of calls", calls)

    call = message.get("function_call")
    if call is not None and not _is_call({"function": call}):
        yield Finding("function_call.type", f"{path}.function_call", "it is no call of a function", call)


def _calls(message: Mapping[str, Any]) -> bool:
    return bool(message.get("tool_calls") or message.get("function_call"))


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def _tools(tools: Any, name: str) -> Iterator[Finding]:
    if tools is not None and not (isinstance(tools, list) and all(isinstance(each, dict) for each in tools)):
        yield Finding("tools.type", name, f"{name} is a {kind(tools)}, not a list of objects", tools)


def _row_weight(weight: Any) -> Iterator[Finding]:
    if weight is None:
        return
    if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
        yield Finding("row.weight", "weight", "the row's weight is not a number of 0 or more", weight)


def is_trainable(message: Any) -> bool:
    """Whether loss falls on this message: an assistant's, with text or tool calls, not of weight 0."""
    if not isinstance(message, dict) or message.get("role") != "assistant" or message.get("weight") == 0:
        return False
    content = message.get("content")
    return bool(content.strip() if isinstance(content, str) else content) or _calls(message)


def wants_answer(row: Mapping[str, Any]) -> bool:
    """Whether the row ends with a user turn whose answer is its ground_truth."""
    messages, truth = row.get("messages"), row.get("ground_truth")
    last = messages[-1] if isinstance(messages, list) and messages else None
    usable = isinstance(truth, str | int | float | list | dict) and truth not in ("", [], {})
    return usable and isinstance(last, dict) and last.get("role") == "user"


def _trainable(messages: list[Any], row: Mapping[str, Any]) -> Iterator[Finding]:
    if wants_answer(row):
        return
    if not any(map(is_trainable, messages)):
        is_empty = row.get("ground_truth") in ("", [], {})
        missing = "ground_truth is empty, and there is " if is_empty else ""
        yield Finding("assistant.none", "messages", f"{missing}no assistant turn to train on")
    elif isinstance(messages[-1], dict) and messages[-1].get("role") == "user":
        path = f"messages[{len(messages) - 1}]"
        yield Finding("turn.unanswered", path, "the last user message has no answer", level=WARNING)
