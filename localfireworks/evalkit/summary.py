"""The figures of an evaluation: `metrics` by name, and the statistics behind them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

METHODS: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "max": max,
    "min": min,
}


def described(values: Sequence[float]) -> dict[str, Any]:
    """Count, mean, deviation of the sample, extremes; None where there are too few."""
    few = len(values) < 2
    return {
        "count": len(values),
        "mean": statistics.fmean(values) if values else None,
        "std": None if few else statistics.stdev(values),
        "standardError": None if few else statistics.stdev(values) / math.sqrt(len(values)),
        "min": min(values, default=None),
        "max": max(values, default=None),
    }


def summarize(results: list[dict[str, Any]], told: dict[str, Any]) -> dict[str, Any]:
    """`metrics` (score by name, of the rows with a valid one) and `stats`, for `outputStats`.

    `told` has the evaluator's `method` of aggregation (an unknown one: the mean) and `threshold`.
    """
    columns: dict[str, list[float]] = {"score": []}
    for result in results:
        if result["is_score_valid"]:
            columns["score"].append(result["score"])
        for name, part in result["metrics"].items():
            if part["is_score_valid"]:
                columns.setdefault(name, []).append(part["score"])
    method = METHODS.get(str(told.get("method")), statistics.fmean)
    metrics = {name: method(values) for name, values in columns.items() if values}
    stats: dict[str, Any] = {
        "rows": len(results),
        "scored": len(columns["score"]),
        "failed": sum(not result["is_score_valid"] for result in results),
        "aggregationMethod": told.get("method") or "mean",
        "metrics": {name: described(values) for name, values in columns.items()},
    }
    threshold = told.get("threshold")
    if isinstance(threshold, dict):
        threshold = threshold.get("success")
    if isinstance(threshold, int | float) and "score" in metrics:
        stats |= {"passedThreshold": threshold, "passed": metrics["score"] >= threshold}
    return {"metrics": metrics, "stats": stats}
