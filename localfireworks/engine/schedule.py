"""Learning-rate schedules as factors of the rate a person gave."""

from __future__ import annotations

import math
from collections.abc import Callable


def schedule(
    kind: str, steps: int, warmup: int, min_ratio: float = 0.0, decay_ratio: float = 1.0
) -> Callable[[int], float]:
    """Factor of the learning rate at a step from 0: linear warm-up, then "constant", "linear" or "cosine".

    The last `decay_ratio` of the steps after warm-up go down to `min_ratio`.
    """

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        if kind == "constant":
            return 1.0
        length = max((steps - warmup) * decay_ratio, 1.0)
        done = min(max((step - (steps - length)) / length, 0.0), 1.0)
        shape = 1.0 - done if kind == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
        return min_ratio + (1.0 - min_ratio) * shape

    return factor
