"""A small stand-in for Eval Protocol, so that evaluators written for it run behind the walls unchanged.

It has what an evaluator of one answer needs, and none of what asks a model: rollouts are the portal's part.
What it cannot honour is refused in words (`unsupported.py`).
"""

import sys
from types import ModuleType

from . import models, pytest, typed_interface
from .models import (
    EvaluateResult,
    EvaluationRow,
    InputMetadata,
    Message,
    MetricResult,
    Status,
    StepOutput,
)
from .pytest import (
    NoOpRolloutProcessor,
    SingleTurnRolloutProcessor,
    default_dataset_adapter,
    evaluation_test,
)
from .typed_interface import reward_function
from .unsupported import missing

__getattr__ = missing("eval_protocol")
__all__ = [
    "EvaluateResult",
    "EvaluationRow",
    "InputMetadata",
    "Message",
    "MetricResult",
    "NoOpRolloutProcessor",
    "SingleTurnRolloutProcessor",
    "Status",
    "StepOutput",
    "default_dataset_adapter",
    "evaluation_test",
    "models",
    "pytest",
    "reward_function",
    "typed_interface",
]
# Modules by whose path evaluators import the same names; its path makes `pytest` look like a package.
DEEP = {
    "pytest.evaluation_test": pytest,
    "pytest.default_single_turn_rollout_process": pytest,
    "pytest.default_no_op_rollout_processor": pytest,
    "pytest.default_no_op_rollout_process": pytest,
    "pytest.default_dataset_adapter": pytest,
    "pytest.rollout_processor": pytest,
    "pytest.exception_config": pytest,
    "reward_function": typed_interface,
}


def alias(name: str, module: ModuleType) -> None:
    """The module under one more name."""
    sys.modules[name] = module


vars(pytest)["__path__"] = []
for _name, _module in DEEP.items():
    alias(f"{__name__}.{_name}", _module)
