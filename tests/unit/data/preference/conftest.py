"""Rows of preference data."""

from __future__ import annotations

from typing import Any

from tests.unit.data.conftest import write

__all__ = ["write"]


def pair(asked: str, preferred: str, other: str, **extra: Any) -> dict[str, Any]:
    """A pair with one user message."""
    return {
        "input": {"messages": [{"role": "user", "content": asked}]},
        "preferred_output": [{"role": "assistant", "content": preferred}],
        "non_preferred_output": [{"role": "assistant", "content": other}],
        **extra,
    }


def prompt(asked: str) -> dict[str, Any]:
    """A prompt without an answer."""
    return {"messages": [{"role": "user", "content": asked}]}


def chosen(asked: str, good: str, bad: str) -> dict[str, Any]:
    """A chosen/rejected row of two conversations."""
    ask = {"role": "user", "content": asked}
    sides = {"chosen": good, "rejected": bad}
    return {side: {"messages": [ask, {"role": "assistant", "content": text}]} for side, text in sides.items()}
