"""Scoring in slices, with a run that is given on paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from workflows.evaluators.isolation import Evaluator
from workflows.evaluators.results import PAUSED, RowScore, Scored, not_reached, not_run
from workflows.evaluators.samples import Sample
from workflows.evaluators.scoring import MOST_STOPS, result_of, scored
from workflows.evaluators.trying import tried

pytestmark = pytest.mark.unit
NOTHING = Evaluator(Path("nowhere"))


class Paper:
    """Scores rows by their number, and ends its run at the bad ones."""

    def __init__(self, *bad: int) -> None:
        self.bad, self.runs = bad, 0

    def __call__(self, _evaluator: Evaluator, rows: Iterable[Mapping[str, Any]]) -> Scored:
        self.runs += 1
        numbers = [row["number"] for row in rows]
        stop = next((at for at, number in enumerate(numbers) if number in self.bad), len(numbers))
        good = [RowScore(at, numbers[at] / 100, "by number") for at in range(stop)]
        fault = "it hung" if stop < len(numbers) else ""
        return Scored((*good, *not_reached(stop, len(numbers), fault)), fault)


def rows(count: int) -> list[dict[str, Any]]:
    return [{"number": at} for at in range(count)]


def test_a_row_that_ends_the_run_costs_itself_alone() -> None:
    paper = Paper(0, 3, 4)
    found = scored(NOTHING, rows(6), paper)
    assert [each.score for each in found] == [None, 0.01, 0.02, None, None, 0.05]
    assert [each.fault for each in found if each.score is None] == ["it hung"] * 3
    assert paper.runs == 4


def test_an_evaluator_that_never_starts_is_not_asked_for_every_row() -> None:
    runs = []

    def broken(_evaluator: Evaluator, given: Iterable[Mapping[str, Any]]) -> Scored:
        runs.append(1)
        return not_run("no module named x", len(list(given)))

    found = scored(NOTHING, rows(50), broken)
    assert ({each.fault for each in found}, len(found)) == ({"no module named x"}, 50)
    assert len(runs) == MOST_STOPS


def test_rows_scored_together_are_not_run_again_with_fewer() -> None:
    runs = []

    def hanging(_evaluator: Evaluator, given: Iterable[Mapping[str, Any]]) -> Scored:
        runs.append(1)
        return Scored(tuple(not_reached(0, len(list(given)), "it hung")), "it hung", together=True)

    found = scored(NOTHING, rows(5), hanging)
    assert ([each.fault for each in found], len(runs)) == (["it hung"] * 5, 1)


def test_results_are_kept_with_their_reason_or_their_fault() -> None:
    assert result_of(RowScore(0, 0.5, "half", {"f1": 0.4})) == {
        "score": 0.5, "reason": "half", "metrics": {"f1": 0.4},
    }  # fmt: skip
    assert result_of(RowScore(0, fault="it hung")) == {"fault": "it hung"}


def samples(count: int) -> list[Sample]:
    return [
        Sample(at, [{"role": "user", "content": f"{at}?"}], f"answer {at}", f"answer {at}", {})
        for at in range(count)
    ]


def by(rule: Any) -> Any:
    """A run that scores each row by `rule(row)`; None is a fault of the row."""

    def score(_evaluator: Evaluator, given: Iterable[Mapping[str, Any]]) -> Scored:
        values = [rule(row) for row in given]
        return Scored(
            tuple(RowScore(at, value, fault="" if value is not None else "KeyError: 'sql' (line 3)")
                  for at, value in enumerate(values))
        )  # fmt: skip

    return score


def answer(row: Mapping[str, Any]) -> str:
    return str(row["messages"][-1]["content"])


def test_a_good_evaluator_is_taken_without_a_warning() -> None:
    found = tried(NOTHING, samples(4), by(lambda row: float(answer(row) == row["ground_truth"])))
    assert (found.refusal, found.warnings) == ("", [])
    assert found.means == {"reference": 1.0, "other row's": 0.0, "empty": 0.0}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda _row: 0.5, "it gives every answer the same score (0.5)"),
        (lambda _row: None, "it failed on every answer: KeyError: 'sql' (line 3)"),
    ],
)
def test_what_can_score_nothing_is_refused(rule: Any, words: str) -> None:
    assert words in tried(NOTHING, samples(4), by(rule)).refusal


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda row: 1.0 if answer(row) else 0.0, "may not look at what was asked"),
        (lambda row: 0.4 if answer(row) == row["ground_truth"] else 0.0, "own answers only 0.40"),
        (lambda row: float(answer(row) == row["ground_truth"]) if answer(row) else None, "4 of 12 answers"),
    ],
)
def test_what_is_doubtful_is_told(rule: Any, words: str) -> None:
    found = tried(NOTHING, samples(4), by(rule))
    assert not found.refusal
    assert words in found.warnings[0]


def test_a_late_step_keeps_what_came_and_begins_no_other_run() -> None:
    """Rows that hang one by one would hold a step for as many times the limit of a row."""
    paper = Paper(1, 3, 5)
    found = scored(NOTHING, rows(8), paper, lambda: paper.runs >= 2)
    assert [each.score for each in found] == [0.0, None, 0.02, None]


def test_a_paused_run_costs_no_row_its_score() -> None:
    def pausing(_evaluator: Evaluator, given: Iterable[Mapping[str, Any]]) -> Scored:
        first, *rest = list(given)
        return Scored((RowScore(0, first["number"] / 100), *not_reached(1, 1 + len(rest), PAUSED)), PAUSED)

    assert [each.score for each in scored(NOTHING, rows(2), pausing, lambda: True)] == [0.0]
    assert [each.score for each in scored(NOTHING, rows(2), pausing)] == [0.0, 0.01]
