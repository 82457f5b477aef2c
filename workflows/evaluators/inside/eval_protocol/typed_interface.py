"""The older shape: `@reward_function` on a function of `messages`, `ground_truth` and the row's columns."""

from __future__ import annotations

import inspect
from typing import Any

from .models import Message
from .unsupported import REWARD_MODES, missing, refuse_mode, refuse_options

__getattr__ = missing("eval_protocol.typed_interface")


def reward_function(*bare: Any, mode: str = "pointwise", **options: Any) -> Any:
    """Mark a function as the evaluator. `id`, `requirements`, `concurrency` and `timeout` have no effect
    here."""
    refuse_mode(mode, REWARD_MODES)
    refuse_options(options)

    def mark(function: Any) -> Any:
        function.reward_messages = wants_shapes(function)
        return function

    return mark(bare[0]) if bare and callable(bare[0]) else mark


def wants_shapes(function: Any) -> bool:
    """Whether its messages are annotated as a list of `Message`; else it gets dictionaries."""
    messages = inspect.signature(function).parameters.get("messages")
    told = messages.annotation if messages else None
    if isinstance(told, str):
        return told.replace("models.", "").lower() == "list[message]"
    return getattr(told, "__origin__", None) is list and getattr(told, "__args__", ()) == (Message,)
