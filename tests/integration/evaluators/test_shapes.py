"""Both shapes of evaluators: Eval Protocol's and a plain function."""

from __future__ import annotations

import pytest

from tests.integration.evaluators.conftest import Write
from workflows.evaluators.isolation import score
from workflows.evaluators.limits import Limits

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
    "with what its documentation imports and reads": """
        import logging
        from typing import List
        import pytest
        from eval_protocol.models import EvaluateResult, EvaluationRow, Message, MetricResult
        from eval_protocol.pytest import SingleTurnRolloutProcessor, evaluation_test
        from eval_protocol.pytest.default_no_op_rollout_processor import NoOpRolloutProcessor
        log = logging.getLogger(__name__)

        def adapter(rows):
            return [EvaluationRow(messages=row["messages"], ground_truth=f"<a>{row['ground_truth']}</a>")
                    for row in rows]

        @pytest.mark.parametrize("completion_params", [{"model": "m"}])
        @evaluation_test(
            input_dataset=["x.jsonl"], dataset_adapter=adapter, preprocess_fn=lambda rows: rows,
            rollout_processor=SingleTurnRolloutProcessor(), passed_threshold={"success": 0.5}, num_runs=1,
            aggregation_method="mean", max_dataset_rows=5, evaluation_test_kwargs=[{"units": False}],
        )
        async def test_answer(row: EvaluationRow, units: bool = True, **kwargs) -> EvaluationRow:
            log.info("rollout %s", row.execution_metadata.rollout_id)
            assert row.rollout_status.is_finished() and not units
            said = [each for each in row.messages if getattr(each, "role", None) == "assistant"][-1].content
            right = f"<a>{said}</a>" == row.ground_truth
            metrics = {"same": MetricResult(score=float(right), is_score_valid=True, reason="compared")}
            row.evaluation_result = EvaluateResult(score=float(right), reason=said, metrics=metrics)
            return row.model_copy(deep=True)
    """,
    "rows that come back in another order": """
        from eval_protocol import EvaluateResult, evaluation_test
        @evaluation_test
        def test_ranked(rows):
            best = sorted(rows, key=lambda row: row.messages[-1].content, reverse=True)
            for place, row in enumerate(best):
                row.evaluation_result = EvaluateResult(score=float(place))
            return best
    """,
    "an older reward function": """
        from typing import Any, Dict, List, Optional
        from reward_kit import reward_function, EvaluateResult, MetricResult
        from reward_kit.models import Message
        @reward_function(id="same")
        def same(messages: List[Message], ground_truth: Optional[str] = None, **kwargs: Any):
            right = messages[-1].content == messages[-1]["content"] == ground_truth
            return EvaluateResult(score=float(right), reason="", metrics={"m": MetricResult(score=1.0)})
    """,
    "an older reward function of dictionaries": """
        from eval_protocol.reward_function import reward_function
        @reward_function
        async def same(messages, original_messages=None, ground_truth=None, **kwargs):
            return {"score": messages[-1].get("content", "") == ground_truth}
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


USED = "from eval_protocol.pytest import evaluation_test\n@evaluation_test({})\ndef t({}): ..."
REFUSED = {
    USED.format("mode='groupwise'", "rows"): 'mode="groupwise" is not supported: it compares several',
    USED.format("mcp_config_path='mcp.json'", "row"): "mcp_config_path= is not supported: tools",
    USED.format("evaluation_test_kwargs=[{}, {}]", "row"): "with 2 sets is not supported",
    USED.format("", "input_dataset, model"): "t(input_dataset, model) is not supported: a",
    "from eval_protocol.pytest import AgentRolloutProcessor": "pytest.AgentRolloutProcessor is not",
    "from reward_kit.rewards.math import math_reward": "reward_kit.rewards is not supported",
    "from eval_protocol import reward_function\n@reward_function(mode='batch')\ndef f(several): ...":
        "a reward function gets one answer at a time",
}  # fmt: skip


@pytest.mark.parametrize("source", REFUSED)
def test_what_is_not_supported_is_named(write: Write, source: str) -> None:
    assert REFUSED[source] in score(write(source), ROWS).fault


OTHER_ROWS = {
    "dataset_adapter=lambda rows: [EvaluationRow(messages=[], ground_truth='4')]": "writes another prompt",
    "preprocess_fn=lambda rows: []": "leaves this row out",
}


@pytest.mark.parametrize("option", OTHER_ROWS)
def test_rows_that_models_were_not_asked_have_no_score(write: Write, option: str) -> None:
    source = f"""
        from eval_protocol import EvaluateResult, EvaluationRow, evaluation_test
        @evaluation_test(mode="all", {option})
        def t(rows):
            for row in rows:
                row.evaluation_result = EvaluateResult(score=1)
            return rows
    """
    found = score(write(source), ROWS)
    assert [OTHER_ROWS[option] in each.fault for each in found.rows] == [True, True]


def test_rows_that_are_scored_together_are_bounded_and_not_paused(write: Write) -> None:
    source = """
        import time
        from eval_protocol import evaluation_test
        @evaluation_test(mode="all")
        def t(rows): time.sleep(60)
    """
    found = score(write(source), ROWS, limits=Limits(together=0.5, row=60, pause=0.1))
    assert (found.together, found.fault) == (
        True, "it hung in its 2 rows, which it scores together: nothing came for 0.5 s",
    )  # fmt: skip
