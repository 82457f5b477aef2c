"""Writing the rows of a classification run: to train on, to choose by, to measure on.

All files have the same form (`labels_prompt`), so that a model is asked as it was trained. Balancing changes
what is trained on alone. The same rows, prompt and seed give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from .imbalance import Balanced
from .labels import Labelled, asked, usable_rows
from .labels_prompt import Prompt
from .splits import SplitFile
from .staging import HashingWriter, atomic
from .tokens import of_sample


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file: its rows, and how often and how heavily each stands in it (None: once, without weight)."""

    path: Path
    rows: Sequence[Labelled]
    balanced: Balanced | None = None


@dataclass(slots=True)
class _Open:
    """A file being written."""

    out: HashingWriter
    places: dict[int, int]  # by physical line
    rows: int = 0
    tokens: int = 0


def write(source: Path, wanted: Mapping[str, Wanted], prompt: Prompt) -> dict[str, SplitFile]:
    """Write the files from the rows of `source`, one pass each; in the order of the source."""
    return {name: _write(source, each, prompt) for name, each in wanted.items()}


def _write(source: Path, wanted: Wanted, prompt: Prompt) -> SplitFile:
    with atomic(wanted.path) as out:
        file = _Open(out, {row.line: place for place, row in enumerate(wanted.rows)})
        for line, row in usable_rows(source):
            place = file.places.get(line)
            if place is not None:
                made = prompt.training_row(asked(row), wanted.rows[place].labels)
                _add(file, made, wanted.balanced, place)
    return SplitFile(wanted.path, file.rows, out.bytes, out.sha256, file.tokens)


def _add(file: _Open, made: dict[str, object], balanced: Balanced | None, place: int) -> None:
    """One row as often as it is wanted; the copies stand together."""
    if balanced and balanced.weights:
        made = {**made, "weight": balanced.weights[place]}
    text, tokens = orjson.dumps(made) + b"\n", of_sample(made)
    for _ in range(balanced.copies[place] if balanced else 1):
        file.out.write(text)
        file.rows += 1
        file.tokens += tokens
