"""What is in a dataset's files: rows, tokens, turns. Faulty lines are counted as rows and otherwise skipped;
naming them is the job's validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

TURN_SAMPLE = 1000  # lines at the head of each file that the average turn count rests on


@dataclass(frozen=True)
class Inspection:
    """`tokens` is an estimate for large files; `average_turns` counts messages."""

    rows: int
    tokens: int
    average_turns: float


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file that are JSON objects."""
    with path.open("rb") as lines:
        for line in lines:
            with suppress(orjson.JSONDecodeError):
                row = orjson.loads(line)
                if isinstance(row, dict):
                    yield row


def conversations(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A row as conversations: itself, or for a preference pair the two it stands for."""
    given = row.get("input")
    if not isinstance(given, dict) or not isinstance(given.get("messages"), list):
        return [row]
    answers = [row.get(key) for key in ("preferred_output", "non_preferred_output")]
    return [{"messages": [*given["messages"], *answer]} for answer in answers if isinstance(answer, list)]


def count_lines(path: Path) -> int:
    """Lines with anything on them."""
    with path.open("rb") as lines:
        return sum(bool(line.strip()) for line in lines)


def _pairs(path: Path) -> bool:
    return next((isinstance(row.get("input"), dict) for row in rows_of(path)), False)


def _turns(path: Path) -> list[int]:
    turns = []
    for number, row in enumerate(rows_of(path)):
        if number == TURN_SAMPLE:
            break
        turns += [
            len(each["messages"]) for each in conversations(row) if isinstance(each.get("messages"), list)
        ]
    return turns


def inspect(
    paths: Sequence[Path], count_tokens: Callable[[Path | Iterable[dict[str, Any]]], int]
) -> Inspection:
    """Inspect all files of one dataset."""
    rows, tokens = 0, 0
    turns: list[int] = []
    for path in paths:
        rows += count_lines(path)
        turns += _turns(path)
        pairs = (each for row in rows_of(path) for each in conversations(row))
        with suppress(TypeError, ValueError):  # a field of the wrong type: the job will say where
            tokens += count_tokens(pairs if _pairs(path) else path)
    return Inspection(rows, tokens, round(sum(turns) / len(turns), 3) if turns else 0.0)
