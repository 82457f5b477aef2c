"""What an evaluator gives back, in one form: a score from 0 to 1 with its parts, or why there is none.

Runs inside the sandbox; uses the standard library alone.
"""

from __future__ import annotations

import math
from typing import Any

LONGEST = 4000  # characters of a reason or an error


class BadResult(ValueError):
    """An evaluator gave back something that is no score."""


def normal(value: Any) -> dict[str, Any]:
    """A number, a truth value, a dict with `score` or an EvaluateResult in one form; else BadResult."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, bool | int | float):
        value = {"score": float(value)}
    if not isinstance(value, dict) or "score" not in value:
        raise BadResult(f"the evaluator gave back {type(value).__name__}, not a score")
    valid = bool(value.get("is_score_valid", True))
    return {
        "score": number(value["score"], valid=valid),
        "is_score_valid": valid,
        "reason": text(value.get("reason")),
        "metrics": {str(name): metric(part) for name, part in (value.get("metrics") or {}).items()},
        "error": text(value.get("error")),
    }


def metric(value: Any) -> dict[str, Any]:
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if not isinstance(value, dict):
        value = {"score": value}
    valid = bool(value.get("is_score_valid", True))
    score = number(value.get("score"), valid=valid)
    return {"score": score, "is_score_valid": valid, "reason": text(value.get("reason"))}


def number(value: Any, *, valid: bool) -> float:
    """A score; one that does not count may be anything and becomes 0."""
    if isinstance(value, bool | int | float) and math.isfinite(value) and 0 <= value <= 1:
        return float(value)
    if not valid:
        return 0.0
    raise BadResult(f"a score must be a number from 0 to 1, not {value!r:.80}")


def text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)[:LONGEST]


def failed(error: BaseException) -> dict[str, Any]:
    """The result of a row on which the evaluator raised."""
    why = f"{type(error).__name__}: {error}"[:LONGEST]
    return {"score": 0.0, "is_score_valid": False, "reason": None, "metrics": {}, "error": why}


def joined(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Results of several criteria as one: the mean of their scores, each a metric under its name."""
    if len(results) == 1:
        return next(iter(results.values()))
    valid = [result for result in results.values() if result["is_score_valid"]]
    parts = {
        name: {key: result[key] for key in ("score", "is_score_valid", "reason")}
        for name, result in results.items()
    }
    nested = {
        f"{name}/{part}": value
        for name, result in results.items()
        for part, value in result["metrics"].items()
    }
    errors = [result["error"] for result in results.values() if result["error"]]
    return {
        "score": sum(result["score"] for result in valid) / len(valid) if valid else 0.0,
        "is_score_valid": bool(valid),
        "reason": None,
        "metrics": parts | nested,
        "error": "; ".join(errors)[:LONGEST] or None,
    }
