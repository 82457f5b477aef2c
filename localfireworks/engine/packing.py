"""Many short conversations in few rectangular batches: rows of one length, several segments in a row.

Segments do not see each other (see `model.visible`) and count their positions from 0, so packing changes no
result; it only avoids padding. A long beginning that all samples share stands once at the start of each row
(`sharing`), and their positions go on from it. Two shapes serve most samples of a job, and one more each
longer length that occurs, so few programs are compiled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from localfireworks.engine.chat import Rendered
from localfireworks.engine.model import SHARED
from localfireworks.engine.pairs import Pair

SMALLEST = 64
FULL, REST, USUAL = 512, 256, 0.6
SHORTEST = 8  # inputs a sequence of a pair takes at least, so that a row has a known most of them


class Batch(NamedTuple):
    """Arrays [rows, length]: inputs, next tokens, loss weights, positions, segment numbers (0 is padding,
    SHARED what the row's segments begin with)."""

    tokens: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    positions: np.ndarray
    segments: np.ndarray


class PairBatch(NamedTuple):
    """Pairs in rows of `batch`: row 2i has preferred answers, row 2i + 1 the other ones of the same prompts,
    in the same order. `reference` [rows, slots] is what the reference makes of each sequence (its log
    probability in nats), `present` [rows / 2, slots] is 1 where there is a pair, else 0."""

    batch: Any
    reference: Any
    present: Any


def row_length(size: int) -> int:
    """The shortest row length, a power of two, that holds `size` inputs."""
    return max(SMALLEST, 1 << max(size - 1, 0).bit_length())


def usual_length(sizes: Sequence[int]) -> int:
    """A row length that holds most of the samples; the few longer ones get rows of their own."""
    return row_length(sorted(sizes)[int(USUAL * (len(sizes) - 1))])


def rest_length(shared: int, wanted: int) -> int:
    """Room in a row for what follows a beginning of `shared` tokens: `wanted`, at most as much again."""
    return -(-(shared + min(shared, wanted)) // SMALLEST) * SMALLEST - shared


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


def plan(
    sizes: Sequence[int], length: int, full: int, rest: int
) -> Iterator[tuple[list[list[int]], int, int]]:
    """(indices of samples by row, rows of the batch, row length) of each batch.

    Rows are `length` long, in batches of `full` // length rows, the remainder in smaller ones; samples that
    do not fit get single longer rows.
    """
    groups: dict[int, list[int]] = {}
    for index, size in enumerate(sizes):
        groups.setdefault(max(row_length(size), length), []).append(index)
    for row, group in sorted(groups.items()):
        many, few = (max(full // row, 1), max(rest // row, 1)) if row == length else (1, 1)
        rows = [[group[index] for index in each] for each in fill_rows([sizes[each] for each in group], row)]
        while rows:
            count = many if len(rows) > many // 2 or few >= many else few
            yield rows[:count], count, row
            rows = rows[count:]


def pack(
    samples: Sequence[Rendered], length: int, full: int = FULL, rest: int = REST, shared: int = 0
) -> list[Batch]:
    """Samples in batches of at most `full` tokens, or `rest` for a short remainder (see `plan`); not counted
    are the `shared` tokens that all begin with."""
    sizes = [max(len(sample.ids) - 1 - shared, 1) for sample in samples]
    return [
        lay_out([[samples[index] for index in row] for row in rows], count, size, shared)
        for rows, count, size in plan(sizes, length, full, rest)
    ]


def plan_pairs(pairs: Sequence[Pair], length: int) -> Iterator[tuple[list[list[int]], int, int]]:
    """Like `plan`, for rows that each stand for two; both answers of a pair are in the same batch."""
    sizes = [max(pair.preferred.tokens - 1, pair.other.tokens - 1, SHORTEST) for pair in pairs]
    return plan(sizes, length, FULL // 2, REST // 2)


def pack_pairs(pairs: Sequence[Pair], length: int) -> list[PairBatch]:
    """Pairs in batches as large as those of `pack`."""
    return [
        lay_out_pairs([[pairs[index] for index in row] for row in rows], count, size)
        for rows, count, size in plan_pairs(pairs, length)
    ]


def lay_out_pairs(rows: Sequence[Sequence[Pair]], size: int, length: int) -> PairBatch:
    """One batch of 2 x `size` rows."""
    sides = [[getattr(pair, side) for pair in row] for row in rows for side in ("preferred", "other")]
    reference = np.zeros((2 * size, length // SHORTEST), np.float32)
    present = np.zeros((size, length // SHORTEST), np.float32)
    for number, row in enumerate(rows):
        present[number, : len(row)] = 1
        for slot, pair in enumerate(row):
            reference[2 * number : 2 * number + 2, slot] = pair.reference
    return PairBatch(lay_out(sides, 2 * size, length), reference, present)


def lay_out(rows: Sequence[Sequence[Rendered]], size: int, length: int, shared: int = 0) -> Batch:
    """One batch of `size` rows, `length` long after the `shared` tokens; rows that are not there stay
    padding."""
    width = -(-(shared + length) // SMALLEST) * SMALLEST if shared else length
    batch = Batch(
        *(np.zeros((size, width), kind) for kind in (np.int32, np.int32, np.float32, np.int32, np.int32))
    )
    for row, samples in enumerate(rows):
        start = 0
        for number, sample in enumerate(samples, 1):
            if number == 1 and shared:
                begun = (row, slice(0, shared))
                batch.tokens[begun], batch.positions[begun] = sample.ids[:shared], np.arange(shared)
                batch.segments[begun], start = SHARED, shared
            count = len(sample.ids) - 1 - shared
            place = (row, slice(start, start + count))
            batch.tokens[place], batch.targets[place] = sample.ids[shared:-1], sample.ids[shared + 1 :]
            batch.weights[place] = sample.weights[shared + 1 :]
            batch.positions[place] = shared + np.arange(count)
            batch.segments[place] = number
            start += count
    return batch
