"""The decorator of evaluators. It keeps what it was told on the function, for whoever scores rows with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
MARK = "__evaluation_test__"


def evaluation_test(
    *,
    mode: str = "pointwise",
    aggregation_method: str = "mean",
    passed_threshold: Any = None,
    dataset_adapter: Callable[..., Any] | None = None,
    **rollout: Any,
) -> Callable[[Function], Function]:
    """Mark a function as an evaluator. What says how answers are produced (`rollout`) has no effect: rows
    have their answers already."""

    def mark(function: Function) -> Function:
        options = {
            "mode": mode,
            "aggregation_method": aggregation_method,
            "passed_threshold": passed_threshold,
            "dataset_adapter": dataset_adapter,
            **rollout,
        }
        setattr(function, MARK, options)
        return function

    return mark


class NoOpRolloutProcessor:
    """Leaves rows as they are."""

    def __init__(self, *_: Any, **__: Any) -> None:
        return


class SingleTurnRolloutProcessor(NoOpRolloutProcessor):
    """Would ask a model once; here rows are taken as they are."""


default_single_turn_rollout_processor = SingleTurnRolloutProcessor
default_no_op_rollout_processor = NoOpRolloutProcessor
