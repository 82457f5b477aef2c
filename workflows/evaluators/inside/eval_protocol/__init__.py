"""A small stand-in for Eval Protocol, so that evaluators written for it run behind the walls unchanged.

It has what an evaluator of one answer needs, and none of what asks a model: rollouts are the portal's part.
"""

from .models import EvaluateResult, EvaluationRow, Message, MetricResult
from .pytest import NoOpRolloutProcessor, SingleTurnRolloutProcessor, evaluation_test

__all__ = [
    "EvaluateResult",
    "EvaluationRow",
    "Message",
    "MetricResult",
    "NoOpRolloutProcessor",
    "SingleTurnRolloutProcessor",
    "evaluation_test",
]
