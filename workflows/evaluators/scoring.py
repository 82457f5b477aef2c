"""Score answers in slices: each result is kept, and a row that ends the run costs itself alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workflows.evaluators.isolation import Evaluator
from workflows.evaluators.results import NOT_REACHED, PAUSED, RowScore
from workflows.evaluators.trial import Score

SLICE = 100  # rows of one run; an evaluator with mode="all" sees so many together
MOST_STOPS = 3  # runs that end one after another without a score: then it is not the row's fault


def scored(
    evaluator: Evaluator,
    rows: Sequence[Mapping[str, Any]],
    score: Score,
    is_late: Callable[[], bool] = lambda: False,
) -> list[RowScore]:
    """One result a row, in their order. The next run begins behind the row that ended one early.

    Once it is late no other run is begun, and the first rows alone have results; but runs that end one after
    another without a score go on up to MOST_STOPS, so that a broken evaluator is not begun for every row.
    One that sees all rows at once is not run again with fewer of them: its fault is that of each row.
    """
    found: list[RowScore] = []
    stops = 0
    while len(found) < len(rows) and not (found and stops == 0 and is_late()):
        run = score(evaluator, rows[len(found) :])
        stops = 0 if run.scores else stops + 1
        if run.fault and (stops == MOST_STOPS or run.together):
            reached = [each if each.score is not None else failed(each, run.fault) for each in run.rows]
        else:
            reached = [each for each in run.rows if each.fault not in (NOT_REACHED, PAUSED)]
        found += reached
    return found


def failed(row: RowScore, fault: str) -> RowScore:
    """A row that the run did not come to, with why; one with a fault of its own keeps it."""
    return row if row.fault and row.fault != NOT_REACHED else RowScore(row.row, fault=fault)


def result_of(found: RowScore) -> dict[str, Any]:
    """A row's result as it is kept: score, reason and further numbers, or the fault."""
    if found.score is None:
        return {"fault": found.fault}
    return {"score": found.score, "reason": found.reason, "metrics": dict(found.metrics)}
