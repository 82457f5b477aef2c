"""Rows that two files share, exactly or nearly: what a model was trained on says little when measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .kept import Rows
from .lines import batches
from .problems import Findings
from .repeats import copies
from .scan import Tally
from .sketches import shared

EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Overlap:
    """Of `rows` usable rows of the second file, `exact` stand in the first one byte for byte, `near` nearly.
    `examples` are (line of the second file, line of the first)."""

    rows: int = 0
    exact: int = 0
    near: int = 0
    examples: tuple[tuple[int, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return asdict(self)


def between(first: Path, second: Path) -> Overlap:
    """Compare two JSONL files, each read once. Memory: about 90 bytes for each row of both while it lasts."""
    left = _rows(first, 0)
    right = _rows(second, left.sketches.share)
    hashes = np.frombuffer(left.hashes, dtype=np.int64)
    both = np.concatenate([hashes, np.frombuffer(right.hashes, dtype=np.int64)])
    later, earlier = copies(both)
    same = (later >= hashes.size) & (earlier < hashes.size)
    later, earlier = later[same] - hashes.size, earlier[same]
    alike, partner = shared(left.sketches.values, right.sketches.values)
    fresh = ~np.isin(alike, later)
    alike, partner = alike[fresh], partner[fresh]
    found = _lines(right, left, later, earlier) + _lines(right, left, alike, partner)
    return Overlap(len(right.lines), later.size, alike.size, tuple(found[:EXAMPLES]))


def _rows(path: Path, share: int) -> Rows:
    tally = Tally(Findings(0))
    tally.kept.sketches.share = share
    for batch in batches(path):
        tally.add(batch)
    return tally.kept


def _lines(
    right: Rows, left: Rows, later: npt.NDArray[np.int64], earlier: npt.NDArray[np.integer[Any]]
) -> list[tuple[int, int]]:
    pairs = zip(later[:EXAMPLES].tolist(), earlier[:EXAMPLES].tolist(), strict=True)
    return [(right.lines[one], left.lines[other]) for one, other in pairs]
