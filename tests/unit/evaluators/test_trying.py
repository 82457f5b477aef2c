"""A brought evaluator on rows with answers, and on prompts alone."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from workflows.evaluators.isolation import Evaluator
from workflows.evaluators.results import RowScore, Scored
from workflows.evaluators.samples import look, samples_in
from workflows.evaluators.trying import tried

USER = {"role": "user", "content": "Name rivers."}
PROMPTS = [{"messages": [{**USER, "content": f"Name {at} rivers."}]} for at in range(9)]
ANSWERED = [{"messages": [USER, {"role": "assistant", "content": f"Rhine {at}"}]} for at in range(4)]


def trial(tmp_path: Path, rows, rule):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))

    def score(_evaluator, given):
        told = [(row["messages"][-1]["content"], row["ground_truth"]) for row in given]
        return Scored(tuple(RowScore(at, rule(*each)) for at, each in enumerate(told)))

    return tried(Evaluator(tmp_path), look(samples_in(path), seed=1, keep=3).kept, score)


def test_prompts_alone_are_tried_on_what_other_rows_ask_and_on_nothing(tmp_path):
    found = trial(tmp_path, PROMPTS, lambda text, truth: float(bool(text) and truth is None))
    assert found.to_json()["means"] == {"reference": None, "other row's": 1.0, "empty": 0.0}
    assert (found.refusal, found.warnings, found.to_json()["samples"]) == ("", [], 3)
    same = trial(tmp_path, PROMPTS, lambda _text, _truth: 0.0)
    assert same.refusal == ""
    assert "no answers to try" in same.warnings[0]


def test_one_score_for_all_answers_of_the_data_is_refused(tmp_path):
    assert "tells nothing" in trial(tmp_path, ANSWERED, lambda _text, _truth: 0.5).refusal


@pytest.mark.parametrize("rows", [[], [{"messages": [USER, {"role": "assistant", "content": " "}]}]])
def test_no_row_at_all_is_said(tmp_path, rows):
    assert "no row" in trial(tmp_path, rows, lambda _text, _truth: 0.5).refusal
