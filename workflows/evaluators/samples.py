"""Rows of a dataset as an evaluator sees them: the conversation, the answer, and what was expected."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from sessions.texts import text_of

MOST_ROWS = 50_000  # rows that the shape of answers is taken from
MOST_LABELS = 200
SAMPLES = 40


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: `line` in the file, the messages before the answer, the reference answer, and what is expected
    of an answer: the row's `ground_truth`, else the reference answer itself. A prompt alone has neither: its
    `answer` is empty and its `expected` None."""

    line: int
    prompt: list[dict[str, Any]]
    answer: str
    expected: Any
    row: dict[str, Any]

    def answered(self, answer: str) -> dict[str, Any]:
        """The row with this answer, for an evaluator."""
        messages = [*self.prompt, {"role": "assistant", "content": answer}]
        return {**self.row, "messages": messages, "ground_truth": self.expected}


@dataclass(slots=True)
class Seen:
    """What the rows looked like: how many, how many had an answer, and the distinct answers while few."""

    rows: int = 0
    usable: int = 0
    own_truth: int = 0  # rows with a ground_truth
    labels: Counter[str] = field(default_factory=Counter)
    too_many_labels: bool = False
    kept: list[Sample] = field(default_factory=list)

    def count(self, sample: Sample) -> None:
        self.usable += 1
        self.own_truth += "ground_truth" in sample.row
        if not self.too_many_labels:
            self.labels[str(sample.expected).strip()] += 1
            self.too_many_labels = len(self.labels) > MOST_LABELS


def sample_of(line: int, row: Any) -> Sample | None:
    """A row as a sample; None where its answer is empty, or missing from a conversation. Of a preference pair
    the preferred answer is the reference. Raises RecursionError."""
    row = chat_row(row)
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages) or not messages:
        return None
    answered = messages[-1].get("role") == "assistant"
    truth = row.get("ground_truth")
    told = written(truth)  # also raises where it is nested too deeply to be compared
    answer = text_of(messages[-1].get("content")) if answered else told
    if not answer.strip() and any(each.get("role") == "assistant" for each in messages):
        return None
    prompt = messages[:-1] if answered else messages
    expected = (answer or None) if truth is None else truth
    return Sample(line, prompt, answer, expected, without_messages(row))


def chat_row(row: Any) -> Any:
    """A preference pair as a chat sample with its preferred answer; any other row as it is."""
    given = row.get("input") if isinstance(row, dict) else None
    preferred = row.get("preferred_output") if isinstance(given, dict) else None
    if (
        not isinstance(given, dict)
        or not isinstance(given.get("messages"), list)
        or not isinstance(preferred, list)
    ):
        return row
    return {"messages": [*given["messages"], *preferred]}


def without_messages(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "messages" and value is not None}


def written(truth: Any) -> str:
    """An expected answer as a model would write it."""
    if truth is None or isinstance(truth, str):
        return truth or ""
    return json.dumps(truth, ensure_ascii=False)


def samples_in(path: Path) -> Iterator[Sample | None]:
    """Every row of a file, None for what cannot be used."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield sample_of(number, orjson.loads(line))
            except (orjson.JSONDecodeError, RecursionError):
                yield None


def look(found: Iterable[Sample | None], *, seed: int, keep: int = SAMPLES) -> Seen:
    """Read up to MOST_ROWS rows, and keep a seeded sample of them in the file's order (reservoir): of rows
    with an answer, and where there are none the first prompts."""
    seen, draw = Seen(), random.Random(seed)  # noqa: S311  # a sample that must be the same each time
    bare: list[Sample] = []
    for sample in found:
        seen.rows += 1
        if sample is not None and not sample.answer:
            bare += [sample] * (len(bare) < keep)
        elif sample is not None:
            seen.count(sample)
            if len(seen.kept) < keep:
                seen.kept.append(sample)
            elif (place := draw.randrange(seen.usable)) < keep:
                seen.kept[place] = sample
        if seen.rows >= MOST_ROWS:
            break
    seen.kept = sorted(seen.kept, key=lambda each: each.line) or bare
    return seen
