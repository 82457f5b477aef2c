"""The labels of a classification data set: read from its rows, resolved to the set that is predicted.

A row's labels are its `ground_truth`, a text or a list of texts; where it has none they are taken from the
last assistant message by one rule for the whole file (`labels_extraction`). What is asked of a model is the
conversation before that message. Only the labels, the physical line, the estimated tokens and a hash of the
conversation are held for each row.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from sessions.texts import text_of

from .labels_extraction import LONGEST, Rule, choose, tidy
from .lines import batches
from .problems import Findings, excerpt
from .scan import UNUSABLE, Tally
from .tokens import of_sample

SAMPLE = 2000  # messages on which the rule of extraction is chosen
SHOWN = 3  # rows shown for each thing that is told
Messages = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as proof of what is told: physical line, a piece of it, and what was made of that."""

    line: int
    text: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Labelled:
    """One usable row. `digest` is the seeded hash of what is asked, equal for equal conversations."""

    line: int
    tokens: int
    labels: tuple[str, ...]
    digest: bytes


@dataclass(slots=True)
class Told:
    """Something noticed, on how many rows, with the first of them."""

    count: int = 0
    rows: list[Shown] = field(default_factory=list)

    def add(self, shown: Shown) -> None:
        """One more row."""
        self.count += 1
        if len(self.rows) < SHOWN:
            self.rows.append(shown)


@dataclass(slots=True)
class Read:
    """All labelled rows of a file in its order, where the labels come from, and what was noticed.

    `notes` by kind: `unlabelled` and `long` (left out: a label that is a text), `number` and `odd` (a ground
    truth that is no text), `list`, `text`. `rule` is None when every row has a ground truth, or when no rule
    fits.
    """

    rows: list[Labelled] = field(default_factory=list)
    rule: Rule | None = None
    examples: list[Shown] = field(default_factory=list)
    extracted: int = 0
    notes: dict[str, Told] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[str]:
        """Rows of each label, as written."""
        return Counter(each for row in self.rows for each in row.labels)

    def note(self, kind: str, shown: Shown) -> None:
        """Remember one row under a kind."""
        self.notes.setdefault(kind, Told()).add(shown)


def answer(row: dict[str, Any]) -> int | None:
    """Where the last assistant message stands; None when there is none."""
    roles = [each.get("role") for each in row["messages"]]
    return len(roles) - 1 - roles[::-1].index("assistant") if "assistant" in roles else None


def asked(row: dict[str, Any]) -> Messages:
    """The conversation that is to be classified: all before the answer that carries the label."""
    messages: Messages = row["messages"]
    at = answer(row)
    truth = row.get("ground_truth")
    if at is None or (truth is not None and messages[-1].get("role") == "user"):
        return messages
    return messages[:at]


def usable_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Physical line and row of every row that inspection finds usable."""
    tally = Tally(Findings(0), compare=False)
    for batch in batches(path):
        counts = tally.add(batch).tolist()
        for at, (line, tokens) in enumerate(zip(batch.lines, counts, strict=True), batch.first):
            if tokens != UNUSABLE:
                yield at, orjson.loads(line)


def read(path: Path, given: Sequence[str] = (), seed: int = 42) -> Read:
    """The labels of every usable row. `given` are the labels that a person named."""
    found = Read(rule=choose(_sampled(path, seed), given))
    for line, row in usable_rows(path):
        labels = _labels(found, line, row)
        if labels:
            text = orjson.dumps(asked(row))
            digest = hashlib.blake2b(text, digest_size=16, key=str(seed).encode()).digest()
            found.rows.append(Labelled(line, of_sample(row), labels, digest))
        elif row.get("ground_truth") is None:
            found.note("unlabelled", Shown(line, excerpt(_said(row))))
    if not found.extracted:
        found.rule = None
    return found


def _sampled(path: Path, seed: int) -> list[str]:
    """Assistant messages of rows without a ground truth, drawn evenly (reservoir sampling)."""
    draw, kept = random.Random(seed), []  # noqa: S311  # a sample that can be drawn again, no secret
    texts = (_said(row) for _, row in usable_rows(path) if row.get("ground_truth") is None)
    for number, text in enumerate(texts):
        if number < SAMPLE:
            kept.append(text)
        elif (place := draw.randrange(number + 1)) < SAMPLE:
            kept[place] = text
    return kept


def _said(row: dict[str, Any]) -> str:
    at = answer(row)
    return text_of(row["messages"][at].get("content")) if at is not None else ""


def _labels(found: Read, line: int, row: dict[str, Any]) -> tuple[str, ...]:
    truth = row.get("ground_truth")
    if truth is None:
        return _extracted(found, line, row)
    labels = _of_truth(truth)
    kind = "list" if isinstance(truth, list) else "text" if isinstance(truth, str) else "number"
    if not labels:
        found.note("odd", Shown(line, excerpt(truth)))
    elif max(map(len, labels)) > LONGEST:
        found.note("long", Shown(line, excerpt(truth)))
        return ()
    else:
        found.note(kind, Shown(line, excerpt(truth), labels))
    return labels


def _of_truth(truth: Any) -> tuple[str, ...]:
    """The labels of a ground truth; none of what is no label: an empty text, an object, a list of lists."""
    if isinstance(truth, bool | int | float):
        return (str(truth).lower(),)
    if isinstance(truth, str):
        return (tidy(truth),) if tidy(truth) else ()
    if isinstance(truth, list) and truth and all(isinstance(each, str) and tidy(each) for each in truth):
        return tuple(dict.fromkeys(tidy(each) for each in truth))
    return ()


def _extracted(found: Read, line: int, row: dict[str, Any]) -> tuple[str, ...]:
    text = _said(row)
    labels = found.rule.find(text) if found.rule else ()
    if labels:
        found.extracted += 1
        if len(found.examples) < SHOWN:
            found.examples.append(Shown(line, excerpt(text), labels))
    return labels
