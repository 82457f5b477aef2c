"""Loss curves: cleaning, smoothing, epochs, perplexity, the best evaluation pass.

Losses are token means of cross-entropy in nats, so perplexity is exp(loss) (facts sheet 4.5). Curves are
lists of (step, value) with rising steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Curve = list[tuple[int, float]]
PointLike = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation pass: after which epoch (from 1, in order of the passes), step, loss, perplexity."""

    epoch: int
    step: int | None
    loss: float

    @property
    def perplexity(self) -> float:
        """exp(loss); infinite where that is no number any more."""
        return perplexity(self.loss)


def perplexity(loss: float) -> float:
    """exp(loss) of a mean cross-entropy in nats; infinite above about 709."""
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf


def _value(point: PointLike, key: str) -> float | None:
    value = point.get(key)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable and value is not None else None


def curve(points: Iterable[PointLike], key: str = "train_loss") -> Curve:
    """The curve of one key by step. Points without step or value are left out.

    A requeued job writes some steps again; the later line counts.
    """
    by_step: dict[int, float] = {}
    for point in points:
        step, value = point.get("step"), _value(point, key)
        if isinstance(step, int) and value is not None:
            by_step[step] = value
    return sorted(by_step.items())


def smooth(values: Sequence[tuple[int, float]], weight: float = 0.9) -> Curve:
    """Exponential moving average without the pull towards zero at the start (Kingma & Ba 2015, section 3).

    `weight` in [0, 1) is what the past counts; 0 changes nothing. Raises ValueError outside.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"the smoothing weight must be at least 0 and below 1, not {weight}")
    smoothed: Curve = []
    mean, past = 0.0, 1.0
    for step, value in values:
        mean = weight * mean + (1 - weight) * value
        past *= weight
        smoothed.append((step, mean / (1 - past)))
    return smoothed


def thin(values: Sequence[tuple[int, float]], most: int = 200) -> Curve:
    """At most `most` points for drawing: means of equal stretches, placed at their last step.

    The last point of the result is at the last step. Raises ValueError when `most` is below 1.
    """
    if most < 1:
        raise ValueError(f"at least one point must be kept, not {most}")
    count = len(values)
    if count <= most:
        return list(values)
    edges = [round(part * count / most) for part in range(most + 1)]
    stretches = [values[start:end] for start, end in pairwise(edges)]
    return [
        (stretch[-1][0], math.fsum(value for _, value in stretch) / len(stretch)) for stretch in stretches
    ]


def evaluations(points: Iterable[PointLike]) -> list[Evaluation]:
    """The evaluation passes in order. The n-th pass is the n-th epoch: SFT lines carry no epoch key.

    A step that is evaluated again (a requeued job) counts once, with its later value.
    """
    passes: dict[Any, float] = {}
    for at, point in enumerate(points):
        loss = _value(point, "eval_loss")
        if loss is not None:
            step = point.get("step")
            passes[step if isinstance(step, int) else ("line", at)] = loss
    ordered = sorted(passes.items(), key=_place)
    return [
        Evaluation(epoch, step if isinstance(step, int) else None, loss)
        for epoch, (step, loss) in enumerate(ordered, 1)
    ]


def _place(item: tuple[Any, float]) -> tuple[bool, int]:
    step = item[0]
    return (False, step) if isinstance(step, int) else (True, step[1])


def best(passes: Sequence[Evaluation]) -> Evaluation | None:
    """The pass of the lowest loss, the earlier one of equals; None when there is none."""
    return min(passes, key=lambda each: (each.loss, each.epoch), default=None)


def final(values: Sequence[tuple[int, float]], window: int = 10) -> float | None:
    """Mean of the last `window` values: a last training loss that one batch does not decide."""
    last = [value for _, value in values[-max(1, window) :]]
    return math.fsum(last) / len(last) if last else None


def overfits(passes: Sequence[Evaluation], margin: float = 0.02) -> bool:
    """Whether validation loss ended more than `margin` (a share of the best) above its best epoch."""
    lowest = best(passes)
    return lowest is not None and passes[-1].loss > lowest.loss + abs(lowest.loss) * margin


def epoch_of(step: int, steps: int, epochs: int) -> float:
    """Fraction of epochs done at `step` of `steps` in all. Raises ValueError without steps."""
    if steps < 1:
        raise ValueError("a job without steps has no epochs")
    return min(step / steps, 1.0) * epochs
