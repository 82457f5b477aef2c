"""The decorator that marks an evaluator, and names of rollout processors that evaluators import."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .unsupported import REFUSED_MODES, missing, refuse, refuse_mode, refuse_options

__getattr__ = missing("eval_protocol.pytest")
MODES = ("pointwise", "all", "batch")  # `batch` is what `all` was called before


class SingleTurnRolloutProcessor:
    """A name only: the portal asks the models itself and hands over rows with answers."""

    def __init__(self, *_: Any, **_options: Any) -> None:
        """Takes whatever the real one takes."""


class NoOpRolloutProcessor(SingleTurnRolloutProcessor):
    """A name only, as above."""


class ExceptionHandlerConfig(SingleTurnRolloutProcessor):
    """A name only: an error is told with its row, and nothing is asked again."""


BackoffConfig = ExceptionHandlerConfig
RolloutProcessor = SingleTurnRolloutProcessor
default_single_turn_rollout_processor = SingleTurnRolloutProcessor()
default_no_op_rollout_processor = NoOpRolloutProcessor()


def default_dataset_adapter(rows: list[dict[str, Any]]) -> list[Any]:
    """Rows as they are."""
    from .models import EvaluationRow

    return [EvaluationRow(**row) for row in rows]


def evaluation_test(*bare: Any, mode: str | None = None, **options: Any) -> Any:
    """Mark a function of `row` (pointwise) or `rows` (all) as the evaluator. Options that say how models are
    asked, where rows come from or what a test run must reach are taken and have no effect here."""
    refuse_options(options)

    def mark(function: Any) -> Any:
        function.evaluation_mode = mode_of(function, mode)
        function.evaluation_options = kept(options)
        return function

    return mark(bare[0]) if bare and callable(bare[0]) else mark


def mode_of(function: Callable[..., Any], mode: str | None) -> str:
    """The mode as it was named, else by what the function takes."""
    refuse_mode(mode or "", REFUSED_MODES)
    if mode not in (None, *MODES):
        refuse(f"mode={mode!r}", "use pointwise or all")
    takes = inspect.signature(function).parameters
    chosen = "all" if mode in {"all", "batch"} or (mode is None and "row" not in takes) else "pointwise"
    wanted = "row" if chosen == "pointwise" else "rows"
    if wanted not in takes and not any(each.kind is each.VAR_KEYWORD for each in takes.values()):
        refuse(f"{function.__name__}({', '.join(takes)})", f"a function in mode {chosen} takes `{wanted}`")
    return chosen


def kept(options: dict[str, Any]) -> dict[str, Any]:
    """What of the options has a meaning here: arguments of the function, and what shapes a row."""
    arguments = options.get("evaluation_test_kwargs") or [{}]
    if len(arguments) > 1:
        refuse(
            f"evaluation_test_kwargs= with {len(arguments)} sets",
            "a model has one score for each row. Give one set",
        )
    adapter = options.get("dataset_adapter")
    return {
        "arguments": dict(arguments[0]),
        "dataset_adapter": None if adapter is default_dataset_adapter else adapter,
        "preprocess_fn": options.get("preprocess_fn"),
    }
