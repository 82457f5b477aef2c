"""Rows that repeat an earlier one, exactly or nearly, by what a tally kept of each usable row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .kept import Rows
from .problems import REMEDIES, WARNING, Problem
from .sketches import EMPTY, NOBODY, Indexes, near, repeated

Ints = npt.NDArray[np.int64]
Lines = npt.NDArray[np.uint32]
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
    """Compare all kept rows with each other; the sketches of copies are gone then."""
    lines = np.frombuffer(rows.lines, dtype=np.uint32)
    later, first = copies(np.frombuffer(rows.hashes, dtype=np.int64))
    values = rows.sketches.values
    values[later[later < len(values)]] = EMPTY  # an exact copy is told once
    second, similar = near(values)
    shown = [
        *_told(COPY, lines[later[:keep]], lines[first[:keep]]),
        *_told(NEAR_COPY, lines[second[:keep]], lines[similar[:keep]]),
    ]
    return Repeated(later.size, second.size, tuple(shown))


def copies(hashes: Ints) -> tuple[Ints, Indexes]:
    """Indexes of the rows whose hash an earlier row has, ascending, and of the first such row."""
    order = repeated(hashes)
    ranked = hashes[order]
    head = np.append(True, ranked[1:] != ranked[:-1])[: order.size]
    earliest = np.maximum.accumulate(np.where(head, np.arange(order.size, dtype=np.uint32), 0))
    first = np.full(hashes.size, NOBODY, dtype=np.uint32)
    first[order[~head]] = order[earliest[~head]]
    later = np.flatnonzero(first != NOBODY)
    return later, first[later]


def _told(rule: str, lines: Lines, earlier: Lines) -> Iterator[Problem]:
    for line, other in zip(lines.tolist(), earlier.tolist(), strict=True):
        yield Problem(line, "", rule, WORDS[rule].format(line=other), REMEDIES[rule], level=WARNING)
