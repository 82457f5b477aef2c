"""Problems of a data file: where, which rule, what to do; kept up to a limit, counted without one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from sessions.spreadsheets import csv_line

EXCERPT = 120
COLUMNS = ("line", "level", "rule", "field", "message", "remedy", "excerpt")
FATAL: Final = "fatal"  # the file cannot be used for the purpose
ERROR: Final = "error"  # the row is left out
WARNING: Final = "warning"  # the row is used

REMEDIES = {
    "row.json": "Make the line one complete JSON object.",
    "row.utf8": "Save the file as UTF-8.",
    "row.too-long": "Split or shorten the row; a line may have 20 MB.",
    "row.object": 'Each line must be an object like {"messages": [...]}.',
    "row.format": "Bring all rows into one format: an object with `messages`.",
    "row.weight": "Give every row a `weight` of 0 or more, or none.",
    "tools.type": "Make `tools` a list of objects, or leave it out.",
    "messages.empty": "Give the row at least a user and an assistant message.",
    "messages.type": "Make `messages` a list of objects with `role` and `content`.",
    "message.type": "Make the message an object with `role` and `content`.",
    "role.missing": "Add `role`: system, user, assistant or tool.",
    "role.unknown": "Use one of system, user, assistant, tool.",
    "system.position": "Put the system message first, and only one.",
    "content.missing": "Add `content` with the message's text.",
    "content.type": "Make `content` a text, or a list of {type: text, text: ...}.",
    "content.part": "Make the part {type: text, text: ...}.",
    "content.image": "Remove the image, or use Fireworks' own vision fine-tuning.",
    "content.empty": "Write the answer, or take the row out.",
    "weight.value": "Use 0 (not trained on) or 1.",
    "tool_calls.type": "Make `tool_calls` a list of {type: function, function: {name, arguments}}.",
    "function_call.type": "Make `function_call` an object {name, arguments}, or use `tool_calls`.",
    "reasoning.type": "Make `reasoning_content` a text.",
    "assistant.none": "Add an assistant message with text (and not weight 0), or take the row out.",
    "row.copy": "Take it out unless it should weigh double; copies are never split over train and held-out.",
    "row.near-copy": "Look at both, and take one out if they say the same.",
    "turn.unanswered": "Add the missing answer, or leave it: the last user message is then context only.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `line` is the physical line (1-based; 0: the whole file), `field` a path in the row."""

    line: int
    field: str
    rule: str
    message: str
    remedy: str = ""
    excerpt: str = ""
    level: str = ERROR


@dataclass(slots=True)
class Findings:
    """Problems as they come: the first `keep` are kept, all are counted by rule."""

    keep: int
    kept: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, problem: Problem) -> None:
        """Count a problem and keep it while there is room."""
        self.counts[problem.rule] = self.counts.get(problem.rule, 0) + 1
        if len(self.kept) < self.keep:
            self.kept.append(problem)

    def drop(self, rule: str) -> None:
        """Forget all problems of one rule."""
        self.counts.pop(rule, None)
        self.kept[:] = [problem for problem in self.kept if problem.rule != rule]


def excerpt(value: Any, around: int = 0) -> str:
    """At most 120 printable characters of a value, of the part around character `around`."""
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
    else:
        text = value if isinstance(value, str) else orjson.dumps(value, default=repr).decode()
    start = max(0, around - EXCERPT // 2)
    piece = text[start : start + EXCERPT * 2]
    shown = "".join(char if char.isprintable() else " " for char in piece)
    left, right = "…" if start else "", "…" if len(text) > start + EXCERPT else ""
    return f"{left}{shown[: EXCERPT - len(left) - len(right)]}{right}"


def problems_csv(problems: Iterable[Problem]) -> str:
    """Problems as CSV with a heading, formula-guarded."""
    lines = ([getattr(each, name) for name in COLUMNS] for each in problems)
    return "".join(map(csv_line, (COLUMNS, *lines)))
