"""The shipped tokenizer, and token counts of whole datasets."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
from tokenizers import Tokenizer

from localfireworks.engine.chat import Renderer
from localfireworks.engine.config import WEIGHTS

EXACT_BYTES = 8_000_000
CHUNK = 256


def load_tokenizer(path: Path = WEIGHTS / "tokenizer.json") -> Tokenizer:
    """A fresh tokenizer: byte-level BPE with about 2,000 tokens."""
    return Tokenizer.from_file(str(path))


@functools.lru_cache(maxsize=1)
def shared_renderer() -> Renderer:
    return Renderer(load_tokenizer())


def count_tokens(source: Path | str | Iterable[dict[str, Any]], renderer: Renderer | None = None) -> int:
    """Rendered tokens (template included) of a JSONL file or of rows with `messages`.

    Files above 8 MB are estimated: evenly spaced lines are counted, the rest follows from their size.
    Lines that are no conversation count nothing; finding faults is the job of the validation.
    """
    renderer = renderer or shared_renderer()
    if not isinstance(source, str | Path):
        return _count(source, renderer)
    path = Path(source)
    size = path.stat().st_size
    step = max(1, round(size / EXACT_BYTES))
    with path.open("rb") as lines:
        taken = _Taken(line for number, line in enumerate(lines) if number % step == 0)
        total = _count(taken.rows(), renderer)
    return total if step == 1 else round(total * size / max(taken.bytes, 1))


class _Taken:
    """Rows of some lines, with the number of bytes those lines had."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.lines, self.bytes = lines, 0

    def rows(self) -> Iterator[dict[str, Any]]:
        for line in self.lines:
            self.bytes += len(line)
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            yield row


def _count(rows: Iterable[Any], renderer: Renderer) -> int:
    total, chunk = 0, []
    for row in rows:
        if is_conversation(row):
            chunk.append(row)
        if len(chunk) == CHUNK:
            total += sum(len(each.ids) for each in renderer.render(chunk))
            chunk = []
    return total + sum(len(each.ids) for each in renderer.render(chunk))


def is_conversation(row: Any) -> bool:
    """Whether a row has a list of message objects."""
    messages = row.get("messages") if isinstance(row, dict) else None
    return isinstance(messages, list) and all(isinstance(message, dict) for message in messages)
