"""A small stand-in for the package `eval-protocol`, written for rehearsals.

It has what an evaluator needs to score rows that already hold answers: the row, the result, the decorator.
Models are never asked, so rollout processors are names only.
"""

from __future__ import annotations

from .models import (
    EvaluateResult,
    EvaluationRow,
    ExecutionMetadata,
    InputMetadata,
    Message,
    MetricResult,
    RolloutStatus,
)
from .pytest import NoOpRolloutProcessor, SingleTurnRolloutProcessor, evaluation_test

__all__ = [
    "EvaluateResult",
    "EvaluationRow",
    "ExecutionMetadata",
    "InputMetadata",
    "Message",
    "MetricResult",
    "NoOpRolloutProcessor",
    "RolloutStatus",
    "SingleTurnRolloutProcessor",
    "evaluation_test",
]
