"""What all rows of a supervised job begin with: laid out once a packed row, before what differs.

Rows that repeat a long instruction (a list of labels) are then nearly as cheap as without it. It changes no
number: nothing is learned from a beginning itself, and every row sees it as its own (`model.visible`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np

from localfireworks.engine.chat import Rendered
from localfireworks.engine.prefixes import common

LEAST = 128  # tokens that are worth it: rows that share fewer are packed whole


@dataclasses.dataclass
class Sharing:
    """Rows so far: how many, their tokens, and the ids that all begin with. `step_of` says how many of so
    many rows are read in a step, which reads the beginning anew; None: all are read in one."""

    step_of: Callable[[int], int] | None = None
    rows: int = 0
    tokens: int = 0
    ids: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, np.int32))

    def add(self, row: Rendered) -> int:
        """Tokens that a pass over all rows so far reads."""
        free = row.ids[: int((row.weights[1:] > 0).argmax())]  # the last of them predicts nothing learned
        self.ids = self.ids[: common(self.ids, free)] if self.rows else free
        self.rows += 1
        self.tokens += row.tokens
        if not self.count:
            return self.tokens
        rest = self.tokens - self.rows * self.count
        steps = -(-self.rows // self.step_of(self.rows)) if self.step_of else 1
        return min(self.tokens, rest + max(-(-rest // self.count), steps) * self.count)

    @property
    def count(self) -> int:
        """Tokens that all rows share, 0 when that is not worth it."""
        return len(self.ids) if len(self.ids) >= LEAST else 0


def shared(rows: Iterable[Rendered]) -> int:
    """How many tokens all rows begin with, none of them learned from; 0 when that is not worth it."""
    found = Sharing()
    for row in rows:
        found.add(row)
    return found.count
