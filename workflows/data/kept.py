"""What an inspection keeps of each usable row: enough to find copies and near copies, about 50 bytes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .index import Looked
from .lines import Batch
from .sketches import Sketches

Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class Rows:
    """What is kept of each usable row: physical line, estimated tokens, a hash of its bytes (of this process
    only), and its sketch."""

    lines: array[int] = field(default_factory=lambda: array("I"))
    tokens: array[int] = field(default_factory=lambda: array("I"))
    hashes: array[int] = field(default_factory=lambda: array("q"))
    sketches: Sketches = field(default_factory=Sketches)

    def add(
        self, batch: Batch, usable: Ints, counts: Ints, look: Looked | None, texts: list[tuple[int, bytes]]
    ) -> None:
        """Keep the rows with the indexes `usable` in the batch, of `counts` tokens. The texts of known lines
        are in `look`, those of parsed ones in `texts`, with their index."""
        self.lines.frombytes((usable + batch.first).astype(np.uint32).tobytes())
        self.tokens.frombytes(np.minimum(counts, 2**32 - 1).astype(np.uint32).tobytes())
        hashes = np.fromiter(map(hash, batch.lines), np.int64, len(batch.lines))
        self.hashes.frombytes(hashes[usable].tobytes())
        text, starts, ends, owner = _spans(look, texts)
        place = np.zeros(len(batch.lines), dtype=np.int64)
        place[usable] = np.arange(usable.size)
        self.sketches.add(text, starts, ends, place[owner], usable.size)


def _spans(look: Looked | None, texts: list[tuple[int, bytes]]) -> tuple[bytes, Ints, Ints, Ints]:
    """All texts to compare in one: where each begins and ends, and the index of its line, which ascends."""
    if look and not texts:
        return look.text, look.starts, look.ends, look.owner
    sizes = np.fromiter((len(text) for _, text in texts), np.int64, len(texts))
    owner = np.fromiter((at for at, _ in texts), np.int64, len(texts))
    ends, text = np.cumsum(sizes), b"".join(text for _, text in texts)
    if look is None:
        return text, ends - sizes, ends, owner
    ends += len(look.text)
    owner = np.concatenate([look.owner, owner])
    order = np.argsort(owner, kind="stable")
    starts, ends = np.concatenate([look.starts, ends - sizes]), np.concatenate([look.ends, ends])
    return look.text + text, starts[order], ends[order], owner[order]
