"""Both shapes of evaluators: Eval Protocol's and a plain function."""

from __future__ import annotations

import pytest

from tests.integration.evaluators.conftest import Write
from workflows.evaluators.isolation import score

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("walls")]
ROWS = [
    {
        "messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": answer}],
        "ground_truth": "4",
        "level": 3,
    }
    for answer in ("4", "5")
]

PLAIN = {
    "bool": "def evaluate(messages, ground_truth=None, **_): return messages[-1]['content'] == ground_truth",
    "number": "def evaluate(messages, ground_truth): return int(messages[-1]['content'] == ground_truth)",
    "dict": """
        def evaluate(messages, ground_truth=None, level=0, **row):
            right = messages[-1]["content"] == ground_truth
            return {"score": right, "reason": "same" if right else "other", "metrics": {"level": level}}
    """,
    "coroutine": """
        async def evaluate(messages, ground_truth=None, **row):
            return messages[-1]["content"] == ground_truth
    """,
    "pointwise": """
        from eval_protocol import EvaluateResult, EvaluationRow, MetricResult, evaluation_test
        @evaluation_test(input_dataset=["x.jsonl"], completion_params=[{"model": "m"}], passed_threshold=0.5)
        def test_answer(row: EvaluationRow, **kwargs) -> EvaluationRow:
            right = row.last_assistant_message().content == row.ground_truth
            level = row.input_metadata.dataset_info["level"]
            metrics = {"level": MetricResult(score=level, reason="")}
            row.evaluation_result = EvaluateResult(score=float(right), reason="checked", metrics=metrics)
            return row
    """,
    "all at once": """
        from typing import List
        from eval_protocol.models import EvaluateResult, EvaluationRow
        from eval_protocol.pytest import SingleTurnRolloutProcessor, evaluation_test
        @evaluation_test(mode="all", rollout_processor=SingleTurnRolloutProcessor())
        async def test_answers(rows: List[EvaluationRow]) -> List[EvaluationRow]:
            for row in rows:
                right = row.messages[-1].content == row.ground_truth
                row.evaluation_result = EvaluateResult(score=1.0 if right else 0.0)
            return rows
    """,
}


@pytest.mark.parametrize("source", PLAIN.values(), ids=PLAIN)
def test_understood(write: Write, source: str) -> None:
    found = score(write(source), ROWS)
    assert not found.fault
    assert found.scores == [1.0, 0.0]


def test_reasons_and_metrics_come_out(write: Write) -> None:
    first = score(write(PLAIN["dict"]), ROWS).rows[0]
    assert (first.reason, first.metrics) == ("same", {"level": 3.0})


def test_a_function_can_be_named_in_a_file_of_a_folder(write: Write) -> None:
    evaluator = write(
        "def one(messages): return 1\ndef evaluate(messages): return 0", entry="evaluator.py::one"
    )
    assert score(evaluator, ROWS).scores == [1.0, 1.0]


def test_a_score_that_is_not_valid_is_a_fault(write: Write) -> None:
    source = """
        from eval_protocol import EvaluateResult, evaluation_test
        @evaluation_test()
        def test_it(row):
            row.evaluation_result = EvaluateResult(score=0.0, is_score_valid=False, reason="judge is away")
            return row
    """
    assert score(write(source), ROWS).rows[0].fault == "it says that its score is not valid: judge is away"
