"""OpenAI's older way of calling functions, written as tool calls.

`functions` of a row become its `tools`, a message's `function_call` becomes its one tool call, and the
`function` message after it becomes the `tool` message that answers that call. One that answers
no call is told as text. Source: OpenAI's API reference, "function_call (deprecated)".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]


def is_legacy(row: Mapping[str, Any]) -> bool:
    """Whether a row uses any of it."""
    messages = row.get("messages")
    told = messages if isinstance(messages, list) else []
    return "functions" in row or any(
        isinstance(each, dict) and ("function_call" in each or each.get("role") == "function")
        for each in told
    )


def modern_messages(messages: list[Row]) -> list[Row]:
    """The messages with tool calls instead; the given ones are not changed."""
    made: list[Row] = []
    waiting = ""  # the call that the next `function` message answers
    for message in messages:
        call = message.get("function_call")
        if isinstance(call, Mapping) and not message.get("tool_calls"):
            waiting = f"call_{len(made)}"
            rest = {key: value for key, value in message.items() if key != "function_call"}
            made.append({**rest, "tool_calls": [{"id": waiting, "type": "function", "function": dict(call)}]})
        elif message.get("role") == "function" and waiting:
            made.append({"role": "tool", "tool_call_id": waiting, "content": message.get("content") or ""})
            waiting = ""
        else:
            made.append({key: value for key, value in message.items() if key != "function_call"})
    return made


def modern_tools(row: Row) -> Row:
    """The row's other fields with `tools` instead of `functions`; the choice of a function is a request's."""
    rest = {key: value for key, value in row.items() if key not in ("functions", "function_call")}
    functions = row.get("functions")
    if isinstance(functions, list) and functions and not rest.get("tools"):
        rest["tools"] = [{"type": "function", "function": each} for each in functions]
    return rest
