"""Splitting a data file into held-out rows, training rows and a sample of them for the candidates.

The draw goes by a keyed hash of each row's bytes (BLAKE2b, keyed by the seed): sorted by it, the rows are in
a random order that depends on content and seed only, not on the Python version. Equal rows have equal
hashes, so exact duplicates form one group and never stand on both sides of the train/held-out line.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .lines import batches
from .problems import Findings
from .scan import UNUSABLE, Tally
from .staging import HashingWriter, atomic

SHARE, MOST_HELDOUT = 0.1, 100  # Fireworks' own carve-out: floor(10 %), at most 100 (facts sheet 4.1)
LEAST_TRAIN = 3
TRAIN, HELDOUT, SAMPLE = 1, 2, 4
NAMES = {TRAIN: "train.jsonl", HELDOUT: "heldout.jsonl", SAMPLE: "sample.jsonl"}

Flags = npt.NDArray[np.uint8]
Indexes = npt.NDArray[np.int64]


class SplitError(ValueError):
    """The rows cannot be split as asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class SplitFile:
    """One file of a split: rows, bytes, SHA-256 in hex, estimated tokens."""

    path: Path
    rows: int
    bytes: int
    sha256: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Split:
    """A split. `heldout` is None when none was asked for, `sample` when it would be all of `train`.

    `heldout_lines` are the physical lines of the source behind the held-out rows.
    """

    train: SplitFile
    heldout: SplitFile | None
    sample: SplitFile | None
    usable: int
    dropped: int
    seed: int
    heldout_lines: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values, paths by file name."""
        found = asdict(self)
        for part in ("train", "heldout", "sample"):
            if found[part]:
                found[part]["path"] = found[part]["path"].name
        return found


@dataclass(slots=True)
class _Index:
    """The usable rows: physical line, estimated tokens and keyed hash of each."""

    lines: array[int]
    tokens: array[int]
    digests: bytearray
    dropped: int = 0


def split(
    path: Path,
    out_dir: Path,
    *,
    heldout: int | float | None = None,
    sample: int | None = 1000,
    seed: int = 42,
    drop_lines: Collection[int] = frozenset(),
) -> Split:
    """Write `train.jsonl`, `heldout.jsonl` and `sample.jsonl` into `out_dir`.

    Rows that inspection finds unusable are left out, and so are `drop_lines` (physical, 1-based). `heldout`
    is a number of rows, a share below 1, 0 for none, or None for floor(10 %), at least 1 and at most 100.
    A sample is drawn when there are more than `sample` training rows. Rows keep their order and bytes; line
    endings become "\\n". The same input and seed give the same files. Raises `SplitError`.
    """
    index = _read(path, seed, drop_lines)
    flags = _assign(index, heldout, sample)
    files = _write(path, out_dir, index, flags)
    lines = np.frombuffer(index.lines, dtype=np.int64)[(flags & HELDOUT) > 0]
    return Split(
        train=files[TRAIN],
        heldout=files.get(HELDOUT),
        sample=files.get(SAMPLE),
        usable=len(index.lines),
        dropped=index.dropped,
        seed=seed,
        heldout_lines=tuple(int(line) for line in lines),
    )


def heldout_rows(usable: int, asked: int | float | None) -> int:
    """How many rows are held out of `usable` ones. Raises `SplitError` for what makes no sense."""
    if asked is None:
        return max(1, min(MOST_HELDOUT, int(usable * SHARE)))
    if asked < 0 or (asked >= 1 and asked != int(asked)):
        raise SplitError(f"{asked} held-out rows make no sense: give a whole number or a share below 1")
    return int(asked) if asked >= 1 or not asked else max(1, int(usable * asked))


def _read(path: Path, seed: int, drop_lines: Collection[int]) -> _Index:
    key = str(seed).encode()
    tally, index = Tally(Findings(0), compare=False), _Index(array("q"), array("q"), bytearray())
    for batch in batches(path):
        counts = tally.add(batch).tolist()
        for at, (line, tokens) in enumerate(zip(batch.lines, counts, strict=True), batch.first):
            if tokens == UNUSABLE or at in drop_lines:
                index.dropped += bool(line.strip())
                continue
            index.lines.append(at)
            index.tokens.append(tokens)
            index.digests += hashlib.blake2b(line, digest_size=16, key=key).digest()
    return index


def _assign(index: _Index, heldout: int | float | None, sample: int | None) -> Flags:
    """Which files each usable row goes to."""
    count = len(index.lines)
    wanted = heldout_rows(count, heldout) if count else 0
    if count - wanted < LEAST_TRAIN:
        raise SplitError(
            f"{count} usable rows cannot give {wanted} held-out rows and {LEAST_TRAIN} training rows: "
            "add rows, hold out fewer, or bring an evaluation dataset"
        )
    order, sizes = _groups(index.digests)
    held = _held(order, sizes, wanted)
    flags = np.full(count, TRAIN, dtype=np.uint8)
    flags[held] = HELDOUT
    train = order[flags[order] == TRAIN]
    if len(train) < LEAST_TRAIN:
        raise SplitError("too many rows are equal: removing duplicates leaves too few to train on")
    if sample is not None and len(train) > sample:
        flags[train[:sample]] |= SAMPLE
    return flags


def _groups(digests: bytearray) -> tuple[Indexes, Indexes]:
    """Row indexes sorted by hash (equal rows in file order), and the sizes of the groups of equal rows."""
    halves = np.frombuffer(digests, dtype=">u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    ranked = halves[order]
    starts = np.flatnonzero(np.append(True, np.any(ranked[1:] != ranked[:-1], axis=1)))
    return order, np.diff(np.append(starts, len(order)))


def _held(order: Indexes, sizes: Indexes, wanted: int) -> Indexes:
    """Whole groups from the front of the order, together `wanted` rows or as near below as they fit.

    When even the smallest group is larger, that one is taken: some rows must be held out.
    """
    starts = np.cumsum(sizes) - sizes
    chosen: list[int] = []
    left = wanted
    for group, size in enumerate(sizes):
        if not left:
            break
        if size <= left:
            chosen.append(group)
            left -= int(size)
    if wanted and not chosen:
        chosen = [int(np.argmin(sizes))]
    return np.concatenate(
        [order[starts[group] : starts[group] + sizes[group]] for group in chosen] or [order[:0]]
    )


def _write(path: Path, out_dir: Path, index: _Index, flags: Flags) -> dict[int, SplitFile]:
    wanted = [flag for flag in NAMES if np.any(flags & flag)]
    for flag in NAMES.keys() - set(wanted):
        (out_dir / NAMES[flag]).unlink(missing_ok=True)
    with ExitStack() as stack:
        outs = {flag: stack.enter_context(atomic(out_dir / NAMES[flag])) for flag in wanted}
        _copy(path, index, flags, outs)
    tokens = np.frombuffer(index.tokens, dtype=np.int64)
    return {
        flag: SplitFile(
            path=out_dir / NAMES[flag],
            rows=int(np.count_nonzero(flags & flag)),
            bytes=out.bytes,
            sha256=out.sha256,
            tokens=int(tokens[(flags & flag) > 0].sum()),
        )
        for flag, out in outs.items()
    }


def _copy(path: Path, index: _Index, flags: Flags, outs: dict[int, HashingWriter]) -> None:
    """Second pass: each usable line to the files of its row."""
    row, lines = 0, index.lines
    for batch in batches(path):
        for at, line in enumerate(batch.lines, batch.first):
            if row == len(lines) or lines[row] != at:
                continue
            targets, row = flags[row], row + 1
            for flag, out in outs.items():
                if targets & flag:
                    out.write(line + b"\n")
