"""Near duplicates in one pass: a sketch of 32 bytes a row, by MinHash.

The texts of a row (all but system messages, which many rows share) are cut into windows of 8 bytes, one at
each position that a hash of three bytes picks; which positions are picked depends on the text alone, so texts
that agree in most places have most windows in common. The windows are spread over 16 buckets and the least
hash of each is kept (one permutation). Two rows are near duplicates when they agree in one of four groups of
four buckets, which sorting finds, and in two thirds of all buckets that one of them fills.

ERROR says how well that works; tests/unit/data/test_sketches.py measures it. Texts of less than about 60
bytes are compared exactly only, and rows beyond `MOST_ROWS` not at all. A text with escapes (\\u) is not
compared with the same text without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.uint16]
Indexes = npt.NDArray[np.uint32]

BUCKETS, GROUPS, WINDOW = 16, 4, 8
AGREE = 0.65  # of the buckets that one of two rows fills
FEWEST_FULL = 8  # buckets that a text must fill to be compared
WANTED = 32  # windows of a row of middle length
SHARES = (8, 128)  # of 256: fewest and most positions that are picked
MOST_ROWS = 3_000_000  # as many as a dataset may have
EMPTY, NOBODY = np.uint16(0xFFFF), np.uint32(0xFFFFFFFF)
SLICE, PART = 1 << 16, 1 << 18  # pairs, and rows, looked at in one go
ERROR = (
    "Found by MinHash: of rows that share 95 of 100 words with another about 95 of 100 are found, of rows "
    "that share 90 about 80; of rows that share half about 1 of 100 is taken for one."
)
_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)


@dataclass(slots=True)
class Sketches:
    """The sketches of the rows so far, in their order."""

    rows: int = 0
    share: int = 0  # of 256 positions; set by the first texts of a file
    _kept: bytearray = field(default_factory=bytearray)

    def add(self, text: bytes, starts: Ints, ends: Ints, owner: Ints, rows: int) -> None:
        """Sketch `rows` rows; the texts of row n are `text[start:end]` where `owner` (ascending) is n."""
        rows = min(rows, MOST_ROWS - self.rows)
        if rows <= 0:
            return
        if not self.share and starts.size:
            sizes = np.bincount(owner, ends - starts)
            self.share = int(np.clip(256 * WANTED // max(1, np.median(sizes[sizes > 0])), *SHARES))
        wanted = owner < rows
        made = _sketch(text, starts[wanted], ends[wanted], owner[wanted], rows, self.share)
        self._kept += made.tobytes()
        self.rows += rows

    @property
    def values(self) -> Values:
        """One row of 16 values for each row; all EMPTY where a text is too short."""
        return np.frombuffer(self._kept, dtype=np.uint16).reshape(-1, BUCKETS)


def _sketch(text: bytes, starts: Ints, ends: Ints, owner: Ints, rows: int, share: int) -> Values:
    values = np.full(rows * BUCKETS, EMPTY, dtype=np.uint16)
    positions = _picked(text, share)
    begin = np.searchsorted(positions, starts)
    counts = np.maximum(np.searchsorted(positions, ends - WINDOW, side="right") - begin, 0)
    total = int(counts.sum())
    if total:
        before = np.cumsum(counts) - counts
        chosen = positions[np.repeat(begin - before, counts) + np.arange(total)]
        hashes = _hashes(text, chosen)
        bucket = np.repeat(owner * BUCKETS, counts) + (hashes >> np.uint64(60)).astype(np.int64)
        np.minimum.at(values, bucket, (hashes >> np.uint64(40)).astype(np.uint16))
    made = values.reshape(rows, BUCKETS)
    made[np.count_nonzero(made != EMPTY, axis=1) < FEWEST_FULL] = EMPTY
    return made


def _picked(text: bytes, share: int) -> Ints:
    """Positions whose three bytes hash below `share` of 256."""
    every = np.frombuffer(text, dtype=np.uint8)[: max(0, len(text) - WINDOW + 3)]
    if every.size < 3:
        return np.empty(0, dtype=np.int64)
    mixed = every[:-2] * np.uint8(37)
    mixed += every[1:-1]
    mixed *= np.uint8(101)
    mixed += every[2:]
    mixed *= np.uint8(171)
    return np.flatnonzero(mixed < share)


def _hashes(text: bytes, positions: Ints) -> npt.NDArray[np.uint64]:
    windows = np.ndarray((len(text) - WINDOW + 1,), f"V{WINDOW}", text, strides=(1,))
    found: npt.NDArray[np.uint64] = windows[positions].view("<u8") * _ODD[0]
    found ^= found >> np.uint64(32)
    found *= _ODD[1]
    found ^= found >> np.uint64(29)
    found *= _ODD[0]
    return found


def near(values: Values) -> tuple[Ints, Indexes]:
    """Rows that nearly repeat an earlier one, ascending, and that earlier row."""
    partner = np.full(len(values), NOBODY, dtype=np.uint32)
    for group in range(GROUPS):
        keys = np.ascontiguousarray(values.view(np.uint64)[:, group])
        order = repeated(keys, ~np.uint64(0))
        same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
        for at in range(0, same.size, SLICE):
            piece = same[at : at + SLICE]
            first, later = order[piece], order[piece + 1]
            alike = _alike(values[first], values[later])
            first, later = first[alike], later[alike]
            fresh = partner[later] == NOBODY
            partner[later[fresh]] = first[fresh]
    found = np.flatnonzero(partner != NOBODY)
    return found, partner[found]


def _alike(left: Values, right: Values) -> npt.NDArray[np.bool_]:
    filled = (left != EMPTY) | (right != EMPTY)
    same = np.count_nonzero((left == right) & filled, axis=1)
    alike: npt.NDArray[np.bool_] = same >= AGREE * np.count_nonzero(filled, axis=1)
    return alike


def repeated(keys: npt.NDArray[Any], never: np.generic | None = None) -> Indexes:
    """Indexes of the keys that stand more than once, equal ones together, in order; `never` is no key.

    Sorting keys alone is ten times as fast as sorting their indexes, and few of them repeat.
    """
    twice = _twice(keys)
    twice = twice[twice != never] if never is not None else twice
    if not twice.size:
        return np.empty(0, dtype=np.uint32)
    found = [np.flatnonzero(_among(twice, keys[at : at + PART])) + at for at in range(0, keys.size, PART)]
    indexes = np.concatenate(found).astype(np.uint32)
    return indexes[np.argsort(keys[indexes], kind="stable")]


def _twice(keys: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The keys that stand more than once, each once, ascending."""
    ranked = np.sort(keys)
    again = ranked[1:][ranked[1:] == ranked[:-1]]
    fresh = np.append(True, again[1:] != again[:-1])[: again.size]
    once: npt.NDArray[Any] = again[fresh]
    return once


def _among(few: npt.NDArray[Any], keys: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    place = np.minimum(np.searchsorted(few, keys), few.size - 1)
    found: npt.NDArray[np.bool_] = few[place] == keys
    return found


def shared(values: Values, other: Values) -> tuple[Ints, Ints]:
    """Rows of `other` that nearly repeat a row of `values`, ascending, and that row."""
    both = np.concatenate([values, other])
    partner = np.full(len(both), -1, dtype=np.int64)
    for group in range(GROUPS):
        keys = both.view(np.uint64)[:, group]
        left, right = keys[: len(values)], keys[len(values) :]
        order = np.argsort(left, kind="stable")
        at = np.searchsorted(left[order], right)
        there = np.flatnonzero((at < left.size) & (right != ~np.uint64(0)))
        there = there[left[order[at[there]]] == right[there]]
        first = order[at[there]]
        alike = _alike(values[first], other[there])
        partner[there[alike] + len(values)] = first[alike]
    found = np.flatnonzero(partner[len(values) :] >= 0)
    return found, partner[len(values) :][found]
