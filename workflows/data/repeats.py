"""Rows that repeat an earlier one, exactly or nearly, by what a tally kept of each usable row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .kept import Rows
from .problems import REMEDIES, WARNING, Problem
from .sketches import near, repeated

Ints = npt.NDArray[np.int64]
COPY, NEAR_COPY = "row.copy", "row.near-copy"
WORDS = {
    COPY: "the row is an exact copy of line {line:,}",
    NEAR_COPY: "the row says nearly the same as line {line:,}",
}


@dataclass(frozen=True, slots=True)
class Repeated:
    """How many rows are exact copies of an earlier one, how many nearly repeat one; the first of each."""

    copies: int
    near: int
    shown: tuple[Problem, ...]


def found(rows: Rows, keep: int) -> Repeated:
    """Compare all kept rows with each other. Memory: about 40 bytes a row while it lasts."""
    lines = np.frombuffer(rows.lines, dtype=np.uint32).astype(np.int64)
    later, first = copies(np.frombuffer(rows.hashes, dtype=np.int64))
    second, similar = near(rows.sketches.values)
    fresh = ~np.isin(second, later, assume_unique=True)
    second, similar = second[fresh], similar[fresh]
    shown = [
        *_told(COPY, lines[later[:keep]], lines[first[:keep]]),
        *_told(NEAR_COPY, lines[second[:keep]], lines[similar[:keep]]),
    ]
    return Repeated(later.size, second.size, tuple(shown))


def copies(hashes: Ints) -> tuple[Ints, Ints]:
    """Indexes of the rows whose hash an earlier row has, ascending, and of the first such row."""
    order = repeated(hashes)
    if not order.size:
        return order, order
    ranked = hashes[order]
    same = np.append(False, ranked[1:] == ranked[:-1])
    head = np.maximum.accumulate(np.where(same, 0, np.arange(ranked.size)))
    later, first = order[same], order[head[same]]
    by_line = np.argsort(later)
    return later[by_line], first[by_line]


def _told(rule: str, lines: Ints, earlier: Ints) -> Iterator[Problem]:
    for line, other in zip(lines.tolist(), earlier.tolist(), strict=True):
        yield Problem(line, "", rule, WORDS[rule].format(line=other), REMEDIES[rule], level=WARNING)
