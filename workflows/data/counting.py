"""Token counts by the base model's own tokenizer: of the whole file, or of pieces spread over a large one.

The texts are counted exactly; the marks that a chat template puts around each message are not in
`tokenizer.json`, so the estimate's 4 tokens a message and 3 a sample are added. Of a large file, pieces at
even distances are counted and the estimate is scaled by what they show; the range is twice the standard error
over the pieces. The same file gives the same count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from tokenizers import Tokenizer

from . import tokens
from .problems import ERROR
from .rules import row_findings

WHOLE = 16_000_000  # bytes of a file that is counted whole: about ten seconds
PIECES, PIECE = 64, 1 << 17  # of a larger one, bytes
AT_ONCE = 512  # rows


class NoTokenizer(Exception):
    """The file is not a tokenizer; the message says why."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens by a tokenizer over those of the estimate: `scale`, between `low` and `high`; from how many
    rows. `exact` when all rows of the file were counted."""

    scale: float
    low: float
    high: float
    rows: int
    exact: bool
    name: str

    @property
    def method(self) -> str:
        """How the count came about, in words."""
        template = (
            f"{tokens.PER_MESSAGE} tokens for each message and {tokens.PER_SAMPLE} for each sample are "
            "assumed for the chat template."
        )
        if self.exact:
            return f"Texts counted by the tokenizer of {self.name}; {template}"
        off = ceil(100 * max(self.high / self.scale - 1, 1 - self.low / self.scale) * 10) / 10
        return (
            f"Texts of {self.rows:,} rows, spread over the file, counted by the tokenizer of {self.name}, "
            f"the others in proportion (within {off:g} %); {template}"
        )


def find(folder: str | Path, model: str) -> Path | None:
    """The tokenizer of a base model in a folder: `SHORT-NAME/tokenizer.json` or `SHORT-NAME.json`."""
    short = model.rsplit("/", 1)[-1]
    if not folder or not short or short.startswith("."):
        return None
    places = (Path(folder) / short / "tokenizer.json", Path(folder) / f"{short}.json")
    return next((place for place in places if place.is_file()), None)


def count(
    path: Path, tokenizer: Path, name: str, *, whole: int = WHOLE, piece: int = PIECE
) -> Counted | None:
    """Count the usable rows of a JSONL file, or of pieces of it; None when there are none.

    Raises NoTokenizer.
    """
    try:
        made = Tokenizer.from_file(str(tokenizer))
    except Exception as error:  # the library raises nothing narrower
        raise NoTokenizer(f"{tokenizer.name} is no tokenizer: {error}") from error
    made.no_truncation()
    made.no_padding()
    exact = path.stat().st_size <= whole
    pieces = [_both(made, rows) for rows in _pieces(path, 0 if exact else piece)]
    columns = np.array(pieces, dtype=np.float64).reshape(-1, 3)
    rows, estimated, counted = columns.sum(axis=0)
    if not rows:
        return None
    scale, spread = float(counted / estimated), 0.0
    if not exact and len(pieces) > 1:
        residues = columns[:, 2] - scale * columns[:, 1]
        variance = len(pieces) * float(np.square(residues).sum()) / (len(pieces) - 1)
        spread = 2 * sqrt(variance) / float(estimated)
    return Counted(scale, scale - spread, scale + spread, int(rows), exact, name)


def _pieces(path: Path, piece: int) -> Iterator[list[Any]]:
    """Rows of pieces of so many bytes, each from its first line break on; with 0 those of the whole file."""
    with path.open("rb") as file:
        if not piece:
            while lines := file.readlines(PIECE):
                yield _rows(lines)
            return
        size = path.stat().st_size
        for number in range(PIECES):
            at = number * (size - piece) // (PIECES - 1)
            file.seek(at)
            text = file.read(piece)
            yield _rows(text.split(b"\n")[1 if at else 0 : -1])


def _rows(lines: list[bytes]) -> list[Any]:
    found = []
    for line in lines:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(row, dict) and all(each.level != ERROR for each in row_findings(row)):
            found.append(row)
    return found


def _both(tokenizer: Tokenizer, rows: list[Any]) -> tuple[int, int, int]:
    """Number of rows, their tokens by estimate and by the tokenizer."""
    counted = 0
    for at in range(0, len(rows), AT_ONCE):
        part = rows[at : at + AT_ONCE]
        texts = [text for row in part for text in _texts(row)]
        counted += sum(len(each) for each in tokenizer.encode_batch_fast(texts, add_special_tokens=False))
        counted += sum(tokens.PER_MESSAGE * len(row["messages"]) + tokens.PER_SAMPLE for row in part)
    return len(rows), sum(map(tokens.of_sample, rows)), counted


def _texts(row: dict[str, Any]) -> Iterator[str]:
    """What a chat template writes of a row."""
    for message in row["messages"]:
        content = message.get("content")
        if isinstance(content, str):
            yield content
        elif isinstance(content, list):
            yield from (part["text"] for part in content)
        yield from (message[key] for key in tokens.TEXT_FIELDS if message.get(key))
        yield from (orjson.dumps(message[key]).decode() for key in tokens.CALL_FIELDS if message.get(key))
    yield from (orjson.dumps(row[key]).decode() for key in tokens.TOOL_FIELDS if row.get(key))
