"""What came of running an evaluator, and the strict reading of the lines it sent."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST_WORDS, LONGEST_METRIC, MOST_METRICS = 4_000, 80, 50
NOT_REACHED, PAUSED = "not reached", "paused"
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class OutOfTurn(Exception):
    """A line that the runner would not have sent; the message says why."""


@dataclass(frozen=True, slots=True)
class RowScore:
    """One row: a score from 0 to 1 with its reason and further numbers, or the fault in plain words."""

    row: int
    score: float | None = None
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A whole run. `fault` says why it ended early; empty when every row was tried.

    `printed` is the beginning of what the evaluator printed, `printed_bytes` how much that was in all.
    `weaker` tells that it ran without walls around network and files, `together` that the evaluator sees all
    rows of a run at once, so that none has a score before all have.
    """

    rows: tuple[RowScore, ...]
    fault: str = ""
    printed: str = ""
    printed_bytes: int = 0
    seconds: float = 0.0
    weaker: bool = False
    together: bool = False

    @property
    def scores(self) -> list[float]:
        """The scores of the rows that have one."""
        return [each.score for each in self.rows if each.score is not None]

    @property
    def faults(self) -> list[RowScore]:
        """The rows without a score."""
        return [each for each in self.rows if each.score is None]


def not_reached(done: int, expected: int, fault: str) -> list[RowScore]:
    """The rows from `done` on after a run that ended early: the first has the fault."""
    rest = range(done, expected)
    return [RowScore(at, fault=fault if at == done else NOT_REACHED) for at in rest]


def not_run(fault: str, rows: int) -> Scored:
    """What comes of an evaluator that could not even be started."""
    return Scored(tuple(not_reached(0, rows, fault)), fault)


@dataclass(slots=True)
class Collected:
    """The lines so far: each row once and in its order, nothing that is not in the schema."""

    expected: int
    rows: list[RowScore] = field(default_factory=list)
    loaded: bool = False
    together: bool = False
    fatal: str = ""

    @property
    def complete(self) -> bool:
        return len(self.rows) == self.expected

    def take(self, line: bytes) -> None:
        """One line. Raises OutOfTurn."""
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            raise OutOfTurn("it sent something that is no JSON") from None
        match told:
            case {"loaded": True, "together": bool(together)} if not self.loaded:
                self.loaded, self.together = True, together
            case {"fatal": str(words)} if not self.fatal:
                self.fatal = clean(words[:LONGEST_WORDS])
            case {"row": int(number)} if number == len(self.rows) < self.expected:
                self.rows.append(row_of(number, told))
            case _:
                raise OutOfTurn("it sent a result that nobody had asked for")


def row_of(number: int, told: Mapping[str, Any]) -> RowScore:
    """One row's line. Raises OutOfTurn where it is not in the schema."""
    match told:
        case {"error": str(words)} if len(told) == len(("row", "error")):
            return RowScore(number, fault=clean(words[:LONGEST_WORDS]))
        case {"score": int() | float() as score, "reason": str(reason), "metrics": dict(metrics)}:
            if not isinstance(score, bool) and 0 <= score <= 1:  # no number is in no range
                return RowScore(number, float(score), clean(reason[:LONGEST_WORDS]), numbers(metrics))
    raise OutOfTurn(f"its result for row {number + 1} is not one")


def numbers(metrics: Mapping[Any, Any]) -> dict[str, float]:
    first = list(metrics.items())[:MOST_METRICS]
    return {clean(str(name)[:LONGEST_METRIC]): finite(value) for name, value in first}


def finite(value: Any) -> float:
    """A metric. Raises OutOfTurn for what is no finite number, or too large an integer for one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OutOfTurn("one of its metrics is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise OutOfTurn("one of its metrics is not finite")
    return number


def clean(words: str) -> str:
    """Text that can be kept in files and in every database: half characters and NUL are replaced."""
    return NOT_TEXT.sub("\ufffd", words)
