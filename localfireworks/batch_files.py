"""The files of a batch inference job: what is answered so far, and the results in an order of their own.

`answers.jsonl` grows by one line a request: `{"row", "ok", "line", "prompt", "completion"}`. A server that
was killed leaves at most one broken line at its end, whose request is simply asked again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

RESULTS, ERRORS = "results.jsonl", "errors.jsonl"


@dataclass(frozen=True)
class Answer:
    """One finished request: the line of the output dataset, and the tokens it took."""

    row: int
    ok: bool
    line: dict[str, Any]
    prompt: int = 0
    completion: int = 0


@dataclass
class Tally:
    """Counters of a job, and the numbers of the rows that are done."""

    succeeded: int = 0
    failed: int = 0
    prompt: int = 0
    completion: int = 0
    done: set[int] = field(default_factory=set)

    def add(self, answer: Answer) -> None:
        self.succeeded += answer.ok
        self.failed += not answer.ok
        self.prompt += answer.prompt
        self.completion += answer.completion
        self.done.add(answer.row)


def read_rows(paths: Sequence[Path]) -> Iterator[tuple[int, bytes]]:
    """Number and text of every line of a dataset with anything on it."""
    number = 0
    for path in paths:
        with path.open("rb") as lines:
            for line in lines:
                if line.strip():
                    yield number, line
                    number += 1


class AnswerFile:
    """The growing file; opening it drops a broken end."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "answers.jsonl"

    def tally(self) -> Tally:
        """What is there, once a half-written last line was cut off."""
        tally, whole = Tally(), 0
        self.path.touch()
        with self.path.open("rb+") as file:
            for line in file:
                try:
                    tally.add(Answer(**orjson.loads(line)))
                except (orjson.JSONDecodeError, TypeError):
                    break
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
            file.truncate(whole)
        return tally

    def add(self, answer: Answer) -> None:
        with self.path.open("ab") as file:
            file.write(orjson.dumps(asdict(answer)) + b"\n")

    def read(self) -> Iterator[Answer]:
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            for line in file:
                with suppress(orjson.JSONDecodeError):
                    yield Answer(**orjson.loads(line))

    def publish(self, target: Path, seed: str) -> dict[str, int]:
        """Write both files of the output dataset, rows shuffled; their sizes in bytes by name."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            offsets = _offsets(file)
            random.Random(seed).shuffle(offsets)  # noqa: S311 - an order, not a secret
            with (target / RESULTS).open("wb") as results, (target / ERRORS).open("wb") as errors:
                for offset in offsets:
                    file.seek(offset)
                    answer = orjson.loads(file.readline())
                    (results if answer["ok"] else errors).write(orjson.dumps(answer["line"]) + b"\n")
        return {name: (target / name).stat().st_size for name in (RESULTS, ERRORS)}


def _offsets(lines: Any) -> list[int]:
    offsets, at = [], 0
    for line in lines:
        if line.endswith(b"\n"):
            offsets.append(at)
        at += len(line)
    return offsets
