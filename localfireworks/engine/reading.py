"""Prompts laid out for one pass: several short ones in a row, in few shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from localfireworks.engine.packing import fill_rows

SIZES = (1, 8, 64)  # rows of a state, prompts placed at once
LARGE = 1024  # tokens of a pass that has more than one row


class Pass(NamedTuple):
    """Arrays [R, W] for `decoding.read`, and where each prompt begins among its R * W positions."""

    tokens: np.ndarray
    positions: np.ndarray
    segments: np.ndarray
    prompts: list[tuple[int, ...]]
    starts: list[int]


def fitting(length: int, sizes: Sequence[int]) -> int:
    """The smallest of the sizes that holds `length`, or the largest there is."""
    return next((size for size in sizes if size >= length), sizes[-1])


def width_of(length: int, most: int) -> int:
    """A width for `length` tokens: a power of two from 64, at most `most`."""
    return min(max(64, 1 << (length - 1).bit_length()), most)


def passes(prompts: Sequence[tuple[int, ...]], most: int) -> Iterator[Pass]:
    """All prompts, in as few passes as their shapes allow."""
    width = width_of(max(len(each) for each in prompts), most)
    counts = sorted({max(size // width, 1) for size in (width, LARGE // 4, LARGE)})
    rows = fill_rows([len(each) for each in prompts], width)
    while rows:
        count = fitting(len(rows), counts)
        yield lay_out([[prompts[index] for index in row] for row in rows[:count]], count, width)
        rows = rows[count:]


def lay_out(rows: Sequence[Sequence[tuple[int, ...]]], count: int, width: int) -> Pass:
    tokens, positions, segments = (np.zeros((count, width), np.int32) for _ in range(3))
    made = Pass(tokens, positions, segments, [], [])
    for number, row in enumerate(rows):
        start = 0
        for segment, prompt in enumerate(row, 1):
            here = (number, slice(start, start + len(prompt)))
            tokens[here], positions[here], segments[here] = prompt, np.arange(len(prompt)), segment
            made.prompts.append(prompt)
            made.starts.append(number * width + start)
            start += len(prompt)
    return made
