"""The decorator that marks an evaluator, and names of rollout processors that evaluators import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MODES = ("pointwise", "groupwise", "all")


class SingleTurnRolloutProcessor:
    """A name only: the portal asks the models itself and hands over rows with answers."""


class NoOpRolloutProcessor(SingleTurnRolloutProcessor):
    """A name only, as above."""


def evaluation_test(*_: Any, mode: str = "pointwise", **_options: Any) -> Callable[[Any], Any]:
    """Mark a function of `row` (pointwise) or `rows` (groupwise, all) as the evaluator."""
    if mode not in MODES:
        raise ValueError(f"mode {mode!r} is none of {', '.join(MODES)}")

    def mark(function: Any) -> Any:
        function.evaluation_mode = mode
        return function

    return mark
