"""What prompts begin with, kept as keys and values, so that the same beginning is read once.

Evaluations ask hundreds of questions under one instruction. A beginning is found token by token (the longest
common one counts, from LEAST tokens), so nothing needs to be declared.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from localfireworks.engine.decoding import Past

LEAST = 16  # tokens that are worth sharing
MOST = 32  # beginnings kept
MOST_BYTES = 256 << 20


@dataclass(frozen=True, eq=False)
class Prefix:
    """A beginning: its ids [n], and its keys and values, n of at least as many positions."""

    ids: np.ndarray
    past: Past

    def covers(self, ids: np.ndarray) -> int:
        """How many tokens both begin with; 0 when that is not worth it."""
        count = common(self.ids, ids)
        return count if count >= LEAST else 0

    @property
    def bytes(self) -> int:
        return sum(each.nbytes for part in self.past for each in part)


def common(one: np.ndarray, other: np.ndarray) -> int:
    """The number of equal tokens that two sequences begin with."""
    size = min(len(one), len(other))
    differing = one[:size] != other[:size]
    return int(differing.argmax()) if differing.any() else size


def beginnings(prompts: Sequence[np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """What several of the prompts, all different, begin with, each with the number of a prompt of its group.

    Sorted prompts that share something stand side by side. A group ends where less than half of its beginning
    would be left.
    """
    order = sorted(range(len(prompts)), key=lambda number: prompts[number].tolist())
    first, length = 0, 0
    for place in range(1, len(order) + 1):
        alike = place < len(order)
        shared = common(prompts[order[place - 1]], prompts[order[place]]) if alike else 0
        left = shared if place - first == 1 else min(shared, length)
        if left >= max(LEAST, length // 2):
            length = left
            continue
        if place - first > 1:
            yield order[first], prompts[order[first]][:length]
        first, length = place, 0


class Prefixes:
    """The beginnings of one model, the least recently used dropped first. For several threads."""

    def __init__(self, nothing: Past, most: int = MOST) -> None:
        self.most = most  # with 0, every prompt is read whole
        self.none = Prefix(np.zeros(0, np.int32), nothing)
        self._kept: list[Prefix] = []  # the one used last comes last
        self._lock = threading.Lock()

    def find(self, ids: np.ndarray) -> tuple[Prefix, int]:
        """What covers most of these ids, and how many of them."""
        with self._lock:
            best = max(self._kept, key=lambda kept: kept.covers(ids), default=self.none)
            count = best.covers(ids)
            if not count:
                return self.none, 0
            self._kept.remove(best)
            self._kept.append(best)
            return best, count

    def keep(self, prefix: Prefix) -> None:
        with self._lock:
            self._kept.append(prefix)
            while len(self._kept) > self.most or (
                len(self._kept) > 1 and sum(each.bytes for each in self._kept) > MOST_BYTES
            ):
                del self._kept[0]

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
