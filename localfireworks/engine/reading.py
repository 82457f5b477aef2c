"""Prompts laid out for one pass: several short ones in a row, in few shapes.

Every shape is a program, and compiling one takes a core for 1 to 2 s, as long as hundreds of answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from localfireworks.engine.packing import fill_rows

SIZES = (1, 8, 64)  # rows of a state, prompts placed at once
TOKENS = (128, 256, 384, 512, 768, 1024)  # of a pass that has more than one row
NARROW = 32
WIDTHS = (32, 48, 64, 96, 128)  # of rows with several prompts
NEUTRAL = 256  # width of a row at which attention costs about as much as the rest


class Part(NamedTuple):
    """The ids of a prompt that are to be read, after `begun` others that are known."""

    ids: np.ndarray
    begun: int


class Pass(NamedTuple):
    """Arrays [R, W] for `decoding.read`; which prompts are in it, and where each begins among its R * W
    positions."""

    tokens: np.ndarray
    positions: np.ndarray
    segments: np.ndarray
    shared: np.ndarray
    numbers: list[int]
    starts: list[int]


def fitting(length: int, sizes: Sequence[int]) -> int:
    """The smallest of the sizes that holds `length`, or the largest there is."""
    return next((size for size in sizes if size >= length), sizes[-1])


def width_of(length: int, most: int) -> int:
    """A width for `length` tokens: a power of two or half as much again, from 32, at most `most`."""
    double = max(NARROW, 1 << (length - 1).bit_length())
    return min(double if length > double * 3 // 4 else max(NARROW, double * 3 // 4), most)


def passes(parts: Sequence[Part], most: int) -> Iterator[Pass]:
    """All prompts, in as few passes as their shapes allow."""
    lengths = [len(part.ids) for part in parts]
    width, rows = packed(lengths, most)
    counts = sorted({max(size // width, 1) for size in (width, *TOKENS)})
    while rows:
        count = fitting(len(rows), counts)
        yield lay_out(parts, rows[:count], count, width)
        rows = rows[count:]


def packed(lengths: Sequence[int], most: int) -> tuple[int, list[list[int]]]:
    """The width of the rows that these lengths are packed in, and the numbers in each row: of the widths that
    hold the longest, the one with the least to compute, attention included."""
    least = width_of(max(lengths), most)
    if len(lengths) == 1:
        return least, [[0]]
    widths = [width for width in WIDTHS if least <= width <= most] or [least]
    ways = {width: fill_rows(lengths, width) for width in widths}
    best = min(widths, key=lambda width: len(ways[width]) * width * (NEUTRAL + width))
    return best, ways[best]


def lay_out(parts: Sequence[Part], rows: Sequence[Sequence[int]], count: int, width: int) -> Pass:
    """The parts with the numbers in `rows`, in a pass of `count` rows."""
    tokens, positions, segments, shared = (np.zeros((count, width), np.int32) for _ in range(4))
    made = Pass(tokens, positions, segments, shared, [], [])
    for place, row in enumerate(rows):
        start = 0
        for segment, number in enumerate(row, 1):
            ids, begun = parts[number]
            here = (place, slice(start, start + len(ids)))
            made.tokens[here], made.positions[here] = ids, np.arange(begun, begun + len(ids))
            made.segments[here], made.shared[here] = segment, begun
            made.numbers.append(number)
            made.starts.append(place * width + start)
            start += len(ids)
    return made
