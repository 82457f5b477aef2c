"""Splitting preference data by prompt: rows of one prompt never stand on both sides.

The draw goes by a keyed hash of each prompt (BLAKE2b, keyed by the seed), so it depends on the prompts and
the seed alone. Rows keep their order and bytes; the same input and seed give the same files. What is measured
on has each prompt once, by its first row: answers to the same prompt are not independent of each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..lines import batches
from ..splits import LEAST_TRAIN, SplitError, SplitFile
from ..staging import HashingWriter, atomic
from .scan import Kept, numbers, scan

SHARE = 0.2  # of the prompts' rows (product row 4.1)
TRAIN, HELDOUT = "train.jsonl", "heldout.jsonl"
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PromptSplit:
    """Both files, how many usable rows there were, and how many distinct prompts are trained on; `repeated`
    are held-out rows that are not written, since another row asks their prompt."""

    train: SplitFile
    heldout: SplitFile | None
    usable: int
    train_prompts: int
    repeated: int


def default_rows(usable: int) -> int:
    """A fifth of the rows, at least one."""
    return max(1, round(usable * SHARE))


def split(
    path: Path,
    out_dir: Path,
    *,
    heldout: int,
    seed: int = 42,
    barred: Collection[bytes] = frozenset(),
) -> PromptSplit:
    """Write `train.jsonl` and, unless `heldout` is 0, `heldout.jsonl` with about so many rows into `out_dir`.

    `heldout` counts all rows of a prompt. Faulty and contradictory rows are left out, and from the training
    rows those of `barred` prompts (keys of `rows.prompt_key`), which are measured on elsewhere. Raises
    `SplitError`.
    """
    kept = scan(path).kept
    usable = ~kept.contradictory()
    free = usable & ~_of_prompts(kept, barred)
    held = _held(kept, usable, heldout, seed) if heldout else np.zeros(len(kept), dtype=np.bool_)
    train = free & ~held
    if int(train.sum()) < LEAST_TRAIN:
        raise SplitError(
            f"{int(usable.sum())} usable rows cannot give {heldout} held-out rows and {LEAST_TRAIN} training "
            "rows: add rows, hold out fewer, or bring an evaluation dataset"
        )
    asked = _once(kept, held)
    files = {TRAIN: train, **({HELDOUT: asked} if heldout else {})}
    made = {name: _write(path, out_dir / name, kept, rows) for name, rows in files.items()}
    if not heldout:
        (out_dir / HELDOUT).unlink(missing_ok=True)
    groups = kept.groups()
    return PromptSplit(
        made[TRAIN],
        made.get(HELDOUT),
        int(usable.sum()),
        np.unique(groups[train]).size,
        int(held.sum() - asked.sum()),
    )


def whole(path: Path, target: Path) -> tuple[SplitFile, int]:
    """Write the usable rows of a file that is measured on, each prompt once; how many were left out for that.
    Raises `SplitError` when there are none."""
    kept = scan(path).kept
    usable = ~kept.contradictory()
    if not usable.any():
        raise SplitError("the evaluation dataset has no usable row")
    asked = _once(kept, usable)
    return _write(path, target, kept, asked), int(usable.sum() - asked.sum())


def prompt_keys(path: Path) -> set[bytes]:
    """The keys of all prompts of a file's usable rows."""
    return set(scan(path).kept.prompt_keys())


def _of_prompts(kept: Kept, wanted: Collection[bytes]) -> Flags:
    if not wanted:
        return np.zeros(len(kept), dtype=np.bool_)
    return np.fromiter((key in wanted for key in kept.prompt_keys()), np.bool_, len(kept))


def _held(kept: Kept, usable: Flags, wanted: int, seed: int) -> Flags:
    """Whole prompts in the order of their keyed hash, together `wanted` rows or as near below as they fit;
    when even the smallest has more rows, that one: something must be measured on."""
    groups = kept.groups()
    sizes = np.bincount(groups[usable], minlength=int(groups.max()) + 1)
    first = {int(group): at for at, group in reversed(list(enumerate(groups.tolist())))}
    salt = str(seed).encode()
    drawn = {
        group: hashlib.blake2b(kept.prompts[16 * at : 16 * at + 16], digest_size=8, key=salt).digest()
        for group, at in first.items()
        if sizes[group]
    }
    chosen: list[int] = []
    left = wanted
    for group in sorted(drawn, key=lambda each: drawn[each]):
        if sizes[group] <= left:
            chosen.append(group)
            left -= int(sizes[group])
    chosen = chosen or [min(drawn, key=lambda each: (sizes[each], drawn[each]))]
    return np.isin(groups, chosen) & usable


def _once(kept: Kept, rows: Flags) -> Flags:
    """Of these rows, the first of each prompt."""
    at = np.flatnonzero(rows)
    _, first = np.unique(kept.groups()[at], return_index=True)
    found = np.zeros(len(kept), dtype=np.bool_)
    found[at[first]] = True
    return found


def _write(path: Path, target: Path, kept: Kept, rows: Flags) -> SplitFile:
    lines = frozenset(numbers(kept.lines)[rows].tolist())
    with atomic(target) as out:
        _copy(path, lines, out)
    tokens = int(numbers(kept.tokens)[rows].sum())
    return SplitFile(target, len(lines), out.bytes, out.sha256, tokens)


def _copy(path: Path, wanted: frozenset[int], out: HashingWriter) -> None:
    for batch in batches(path):
        for at, line in enumerate(batch.lines, batch.first):
            if at in wanted:
                out.write(line + b"\n")
