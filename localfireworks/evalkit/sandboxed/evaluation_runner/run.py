"""What runs in the sandbox: see `__main__`. Foreign code is loaded here and nowhere else.

TASK.json: `{"root": folder of the code, "entries": [{"name", "file", "function"}], "rows": JSONL or null}`.
Without rows the entries are only loaded. A line a row goes to what was stdout: `{"row", "result"}`; one line
before them says how to sum up; what the evaluator prints goes to the log.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from . import entry
from .scores import joined


def main(task_file: str) -> int:
    """0 once everything was said; a traceback in the log and 1 when the code cannot be loaded."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    task = json.loads(Path(task_file).read_text())
    root = Path(task["root"])
    functions = {each["name"]: entry.load(root, each["file"], each["function"]) for each in task["entries"]}
    told = entry.options(next(iter(functions.values()))) or {}
    summary = {"method": told.get("aggregation_method", "mean"), "threshold": told.get("passed_threshold")}
    say(answers, json.loads(json.dumps(summary, default=str)))
    if task["rows"]:
        with Path(task["rows"]).open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()]
        score(answers, functions, rows)
    return 0


def score(answers: Any, functions: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """One line a row, as soon as every criterion has spoken about it."""
    waiting: dict[int, dict[str, Any]] = {}
    for name, function in functions.items():
        for number, result in entry.scored(function, rows):
            results = waiting.setdefault(number, {})
            results[name] = result
            if len(results) == len(functions):
                say(answers, {"row": number, "result": joined(waiting.pop(number))})


def say(answers: Any, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()
