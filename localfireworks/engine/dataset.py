"""Rows of JSONL files: checked line by line, drawn evenly under a token budget, rendered.

A first pass parses every line and keeps only where it starts; rows are read again when they are drawn. So a
large file costs a scan, not memory.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import orjson

from localfireworks.engine.job_settings import JobError

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MINIMUM, CARVE_SHARE, CARVE_MOST, CHUNK = 3, 10, 100, 128
RowCheck = Callable[[Any], str | None]
M = TypeVar("M", contravariant=True)


class Meter(Protocol[M]):
    """Counts what a pass over rows reads."""

    def add(self, row: M, /) -> int:
        """Tokens of all rows so far."""
        ...


class Whole:
    """Counts every row whole."""

    def __init__(self) -> None:
        self.tokens = 0

    def add(self, row: Sample, /) -> int:
        self.tokens += row.tokens
        return self.tokens


class Sample(Protocol):
    """What a row became: a conversation, or a pair of them."""

    @property
    def tokens(self) -> int: ...

    @property
    def trainable(self) -> bool: ...

    def cut(self, length: int) -> Self: ...


T = TypeVar("T", bound=Sample)
Render = Callable[[Iterable[dict[str, Any]]], list[T]]


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the rows of a dataset are: file, byte offset and line number (from 1) of each."""

    paths: tuple[Path, ...]
    files: np.ndarray
    offsets: np.ndarray
    lines: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets)

    def read(self, indices: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The rows with these indices, in that order."""
        handles = [path.open("rb") for path in self.paths]
        try:
            for index in indices:
                handle = handles[int(self.files[index])]
                handle.seek(int(self.offsets[index]))
                yield orjson.loads(handle.readline())
        finally:
            for handle in handles:
                handle.close()


def open_source(paths: Sequence[Path], fault_of: RowCheck | None = None, fewest: int = MINIMUM) -> Source:
    """Check every line of the files; JobError names the first that `fault_of` (default: `row_fault`) finds
    fault with, and what is wrong with it."""
    files, offsets, numbers = array("i"), array("q"), array("q")
    for file, path in enumerate(paths):
        where = f"{path.name} " if len(paths) > 1 else ""
        offset = 0
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    check_line(line, f"{where}line {number}", fault_of or row_fault)
                    for column, value in ((files, file), (offsets, offset), (numbers, number)):
                        column.append(value)
                offset += len(line)
    if len(offsets) < fewest:
        raise JobError(f"the dataset has {len(offsets)} rows: at least {fewest} are needed")
    return Source(tuple(paths), *(np.asarray(each) for each in (files, offsets, numbers)))


def check_line(line: bytes, where: str, fault_of: RowCheck) -> None:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise JobError(f"{where}: not valid JSON ({error})") from None
    fault = fault_of(row)
    if fault:
        raise JobError(f"{where}: {fault}")


def row_fault(row: Any) -> str | None:
    """What keeps a row from being a chat conversation, in words; None when nothing does."""
    if not isinstance(row, dict):
        return "the row is not a JSON object"
    if row.get("weight") is not None and not isinstance(row["weight"], int | float):
        return 'the field "weight" must be a number'
    return messages_fault(row.get("messages"), "messages")


def messages_fault(messages: Any, field: str) -> str | None:
    """What is wrong with a list of messages, which the row has in `field`."""
    if not isinstance(messages, list) or not messages:
        return f'the field "{field}" must be a list with at least one message'
    faults = (message_fault(message, index, field) for index, message in enumerate(messages))
    return next((fault for fault in faults if fault), None)


def message_fault(message: Any, index: int, field: str) -> str | None:
    where = f"{field}[{index}]"
    if not isinstance(message, dict):
        return f"{where} is not an object"
    if message.get("role") not in ROLES:
        return f"{where}.role is {message.get('role')!r}: use system, user, assistant or tool"
    if message["role"] == "system" and index:
        return f"{where} is a system message: only the first message may be one"
    if message.get("weight") not in (None, 0, 1):
        return f"{where}.weight is {message['weight']!r}: use 0 or 1"
    return content_fault(message, where)


def content_fault(message: dict[str, Any], where: str) -> str | None:
    content = message.get("content")
    if isinstance(content, list):
        images = [
            part for part in content if not isinstance(part, dict) or part.get("type", "text") != "text"
        ]
        return f"{where}.content has a part that is not text" if images else None
    if content is None and not message.get("tool_calls") and message["role"] == "assistant":
        return f"{where}.content is missing"
    return None if content is None or isinstance(content, str) else f"{where}.content must be text"


def spread(count: int) -> np.ndarray:
    """The numbers below `count` in an order whose every beginning is spread evenly (van der Corput, base
    2)."""
    bits = max(count - 1, 1).bit_length()
    numbers, turned = np.arange(1 << bits), np.zeros(1 << bits, np.int64)
    for bit in range(bits):
        turned |= ((numbers >> bit) & 1) << (bits - 1 - bit)
    return turned[turned < count]


def carve_out(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices to train on and a held-out tenth, at most 100, as the real service splits by default."""
    size = min(count // CARVE_SHARE, CARVE_MOST)
    held = np.sort(np.random.default_rng(seed).permutation(count)[:size])
    return np.setdiff1d(np.arange(count), held), held


@dataclasses.dataclass(frozen=True)
class Samples(Generic[T]):
    """Rendered rows that are used and their numbers in the source, how many there were, how many had nothing
    to learn from, and of those how many lost it because they were cut."""

    rows: list[T]
    numbers: list[int]
    total: int
    skipped: int = 0
    cut_off: int = 0

    @property
    def tokens(self) -> int:
        return sum(row.tokens for row in self.rows)


def draw(
    source: Source,
    indices: np.ndarray,
    render: Render[T],
    length: int,
    limit: int,
    meter: Meter[T] | None = None,
) -> Samples[T]:
    """Rows rendered and cut to `length` tokens, in file order; with a `limit` of tokens, as `meter` (default:
    whole rows) counts them, drawn evenly up to it.

    Rows without a token to learn are left out. At least one row is used, however small the limit.
    """
    order = indices[spread(len(indices))] if limit else indices
    taken: dict[int, T] = {}
    skipped = cut_off = 0
    meter = meter or Whole()
    for start in range(0, len(order), CHUNK):
        chosen = order[start : start + CHUNK].tolist()
        for index, row in zip(chosen, rendered(source, chosen, render), strict=True):
            sample = row.cut(length)
            if not sample.trainable:
                skipped += 1
                cut_off += row.trainable
                continue
            if meter.add(sample) > limit > 0 and taken:
                return in_file_order(taken, len(indices), skipped, cut_off)
            taken[index] = sample
    return in_file_order(taken, len(indices), skipped, cut_off)


def rendered(source: Source, indices: Sequence[int], render: Render[T]) -> list[T]:
    """These rows; JobError for what a chat template refuses."""
    try:
        return render(source.read(indices))
    except ValueError as error:
        raise JobError(str(error)) from None


def in_file_order(taken: dict[int, T], total: int, skipped: int, cut_off: int) -> Samples[T]:
    numbers = sorted(taken)
    return Samples([taken[number] for number in numbers], numbers, total, skipped, cut_off)
