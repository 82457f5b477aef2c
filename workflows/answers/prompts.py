"""A prompt set: rows of messages in a file of the workspace, with the sampling settings they are asked with.

The file is `prompts/<name>.jsonl`, one line a row: `{"row": 0, "messages": [...]}`. It is written once; the
same rows give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from sessions.models import Artifact
from workflows.fireworks import inference
from workflows.fireworks.wire import Json
from workflows.work import Work

Messages = Sequence[Mapping[str, Any]]
JSONL = "application/jsonl"


@dataclass(frozen=True)
class Sampling:
    """How every row is asked. `seed` is the session's: each row has one of its own, derived from it.

    `reasoning_effort="none"` switches thinking off, on both sides alike (facts sheet 7.1). `extra` are
    further fields of each request, such as `response_format`.
    """

    max_tokens: int
    seed: int
    temperature: float = 0.0
    reasoning_effort: str = "none"
    extra: Mapping[str, Any] = field(default_factory=dict)

    def seed_of(self, row: int) -> int:
        """31 bits, the same for the same session seed and row."""
        digest = hashlib.sha256(f"{self.seed}/{row}".encode()).digest()
        return int.from_bytes(digest[:4]) >> 1

    def body(self, row: int, messages: Messages) -> Json:
        """The request for one row, without its model."""
        return inference.chat_body(
            messages,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seed=self.seed_of(row),
            reasoning_effort=self.reasoning_effort,
            **self.extra,
        )


CALLED = {"heldout": "held-out rows"}  # prompt sets that people know by another name


@dataclass(frozen=True)
class PromptSet:
    """`rows` prompts in the file at `path` with the given SHA-256."""

    name: str
    rows: int
    sha256: str
    path: Path
    sampling: Sampling

    @property
    def words(self) -> str:
        """Its rows, as people know them."""
        return CALLED.get(self.name, f"rows of {self.name}")

    def messages(self, wanted: Collection[int]) -> dict[int, list[dict[str, Any]]]:
        """The messages of some rows, by row."""
        found = {}
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines):
                if number in wanted:
                    found[number] = orjson.loads(line)["messages"]
        return found


def prompt_set(work: Work, name: str, rows: Iterable[Messages], sampling: Sampling) -> PromptSet:
    """The prompt set of that name: written the first time, afterwards read, whatever `rows` holds by then."""
    artifact_name = f"prompts/{name}.jsonl"
    artifact = Artifact.objects.filter(session=work.session, name=artifact_name).first()
    if artifact is None:
        count = write(work.folder / artifact_name, rows)
        artifact = work.keep(artifact_name, JSONL, rows=count, sampling=asdict(sampling))
    kept = Sampling(**artifact.detail["sampling"])
    return PromptSet(name, artifact.detail["rows"], artifact.sha256, artifact.path, kept)


def write(path: Path, rows: Iterable[Messages]) -> int:
    """Write the rows, numbered from 0; how many there are. A half-written file is never left behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh, count = path.with_name(path.name + ".part"), 0
    with fresh.open("wb") as file:
        for count, messages in enumerate(rows, 1):
            file.write(line(count - 1, messages))
    fresh.replace(path)
    return count


def line(row: int, messages: Messages) -> bytes:
    """One line of the file."""
    told = {"row": row, "messages": [dict(each) for each in messages]}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
