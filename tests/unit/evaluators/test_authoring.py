"""Answers that no rule was made for: it is said, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.evaluators.test_kinds import seen
from workflows.evaluators.authoring import CannotTell, author
from workflows.evaluators.isolation import Evaluator
from workflows.evaluators.results import Scored, not_run
from workflows.evaluators.samples import samples_in

pytestmark = pytest.mark.unit


def nothing_runs(_evaluator: Evaluator, rows: Iterable[Mapping[str, Any]]) -> Scored:
    return not_run("it was not run", len(list(rows)))


@pytest.mark.parametrize(
    ("answer", "criterion", "words"),
    [
        ("[" * 5_000 + "]" * 5_000, "valid JSON", "cannot take the expected answers (RecursionError)"),
        ("7c9e82345678", "the final number", "it was not run"),
    ],
    ids=["deep JSON", "a hash"],
)
def test_odd_answers_are_no_fault_of_ours(answer: str, criterion: str, words: str) -> None:
    with pytest.raises(CannotTell) as told:
        author(seen(*[answer] * 4), criterion, nothing_runs)
    assert words in str(told.value)


def test_a_row_that_is_nested_too_deeply_is_left_out(tmp_path: Path) -> None:
    deep = "[" * 1_010 + "]" * 1_010
    good = json.dumps({"messages": [{"role": "user", "content": "?"}], "ground_truth": [1]})
    (tmp_path / "rows.jsonl").write_text(f"{good}\n{good.replace('[1]', deep)}\n")
    assert [each is None for each in samples_in(tmp_path / "rows.jsonl")] == [False, True]
