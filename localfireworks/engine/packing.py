"""Many short conversations in few rectangular batches: rows of one length, several segments in a row.

Segments do not see each other (see `model.visible`) and count their positions from 0, so packing changes no
result; it only avoids padding. Two shapes serve most samples of a job, and one more each longer length that
occurs, so few programs are compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from localfireworks.engine.chat import Rendered

LENGTHS = (64, 128, 256, 512, 1024)
FULL, REST, USUAL = 512, 256, 0.6


class Batch(NamedTuple):
    """Arrays [rows, length]: inputs, next tokens, loss weights, positions, segment numbers (0 is padding)."""

    tokens: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    positions: np.ndarray
    segments: np.ndarray


def row_length(size: int) -> int:
    """The shortest row length that holds `size` inputs."""
    return next((length for length in LENGTHS if length >= size), LENGTHS[-1])


def usual_length(sizes: Sequence[int]) -> int:
    """A row length that holds most of the samples; the few longer ones get rows of their own."""
    return row_length(sorted(sizes)[int(USUAL * (len(sizes) - 1))])


def fill_rows(lengths: Sequence[int], size: int) -> list[list[int]]:
    """First fit, longest first: indices of samples by row, no row above `size`."""
    rows: list[list[int]] = []
    free: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda each: (-lengths[each], each)):
        place = next((row for row, left in enumerate(free) if left >= lengths[index]), None)
        if place is None:
            rows.append([])
            free.append(size)
            place = len(rows) - 1
        rows[place].append(index)
        free[place] -= lengths[index]
    return rows


def pack(samples: Sequence[Rendered], length: int, full: int = FULL, rest: int = REST) -> list[Batch]:
    """Samples in batches of `full` // length rows, the remainder in smaller ones; samples that do not fit
    such a row in single longer rows."""
    long: dict[int, list[Rendered]] = {}
    for sample in samples:
        long.setdefault(max(row_length(len(sample.ids) - 1), length), []).append(sample)
    batches = pack_rows(long.pop(length, []), length, max(full // length, 1), max(rest // length, 1))
    for size, group in sorted(long.items()):
        batches += pack_rows(group, size, 1, 1)
    return batches


def pack_rows(samples: Sequence[Rendered], length: int, many: int, few: int) -> list[Batch]:
    """Samples that fit in rows of `length`, in batches of `many` rows, or of `few` for a short remainder."""
    rows = fill_rows([max(len(sample.ids) - 1, 1) for sample in samples], length)
    batches: list[Batch] = []
    while rows:
        size = many if len(rows) > many // 2 or few >= many else few
        batches.append(lay_out([[samples[index] for index in row] for row in rows[:size]], size, length))
        rows = rows[size:]
    return batches


def lay_out(rows: Sequence[Sequence[Rendered]], size: int, length: int) -> Batch:
    """One batch of `size` rows; rows that are not there stay padding."""
    batch = Batch(
        *(np.zeros((size, length), kind) for kind in (np.int32, np.int32, np.float32, np.int32, np.int32))
    )
    for row, samples in enumerate(rows):
        start = 0
        for number, sample in enumerate(samples, 1):
            count = len(sample.ids) - 1
            place = (row, slice(start, start + count))
            batch.tokens[place], batch.targets[place] = sample.ids[:-1], sample.ids[1:]
            batch.weights[place], batch.positions[place] = sample.weights[1:], np.arange(count)
            batch.segments[place] = number
            start += count
    return batch
