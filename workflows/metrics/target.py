"""Whether a target is reached, as far as the interval tells."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import NormalDist

from workflows.metrics import words
from workflows.metrics.intervals import Estimate, normal_quantile
from workflows.metrics.power import POWER

MET, NOT_MET, CLOSE = "met", "not met", "too close to call"


@dataclass(frozen=True, slots=True)
class Reached:
    """A target's word; `rows_needed` would tell where it is too close, None where nothing can be said."""

    word: str
    rows_needed: int | None
    sentence: str


def reached(
    target: float, estimate: Estimate, *, lower_is_better: bool = False, is_share: bool = True
) -> Reached:
    """Met when the whole interval is at `target` or beyond, not met when all of it falls short.

    Without an interval it is too close to call: nothing says how far the value is from the truth."""
    word = _word(target, estimate, lower_is_better)
    needed = _rows_needed(target, estimate) if word == CLOSE else None
    shown, goal = words.interval(estimate, is_share=is_share), words.figure(target, is_share=is_share)
    sentence = f"{shown}: the target of {goal} is {word}."
    if needed is not None and needed > estimate.rows:
        sentence += f" If the value is right, it takes {words.forecast(needed)} to tell."
    return Reached(word, needed, sentence)


def _word(target: float, estimate: Estimate, lower_is_better: bool) -> str:
    if estimate.low is None or estimate.high is None:
        return CLOSE
    worst, best = (estimate.high, estimate.low) if lower_is_better else (estimate.low, estimate.high)
    sign = -1 if lower_is_better else 1
    if sign * worst >= sign * target:
        return MET
    return NOT_MET if sign * best < sign * target else CLOSE


def _rows_needed(target: float, estimate: Estimate) -> int | None:
    """From the interval's width, which shrinks with the root of the rows."""
    if estimate.low is None or estimate.high is None or estimate.value == target:
        return None
    z = normal_quantile(estimate.level)
    half = (estimate.high - estimate.low) / 2
    wanted = (z + NormalDist().inv_cdf(POWER)) / z * half / abs(estimate.value - target)
    return ceil(estimate.rows * wanted * wanted)
