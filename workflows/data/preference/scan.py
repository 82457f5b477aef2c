"""One streamed pass over a file of preference data: what each row is, and what is kept of it to compare.

Memory is about 60 bytes a row plus the kept problems; texts are never kept.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from ..formats import CHOSEN, PAIRS, PROMPTS
from ..lines import OverLong, Progress, batches
from ..problems import ERROR, REMEDIES, Findings, Problem, excerpt
from ..rules import Finding, row_findings
from ..scan import unreadable
from . import converting, detecting
from .rows import Pair, pair_findings, prompt_findings, prompt_key, prompt_of, tokens_of
from .wording import PAIR_REMEDIES

MOST_TURNS = 100
Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class Kept:
    """What is kept of each usable row: physical line, estimated tokens, the prompt's key, and of a pair its
    key and that of the opposite pair, and the characters of both answers."""

    lines: array[int] = field(default_factory=lambda: array("q"))
    tokens: array[int] = field(default_factory=lambda: array("q"))
    prompts: bytearray = field(default_factory=bytearray)
    pairs: array[int] = field(default_factory=lambda: array("q"))
    opposites: array[int] = field(default_factory=lambda: array("q"))
    preferred: array[int] = field(default_factory=lambda: array("q"))
    other: array[int] = field(default_factory=lambda: array("q"))

    def add(self, line: int, row: Mapping[str, Any]) -> None:
        """Keep a faultless row."""
        self.lines.append(line)
        self.tokens.append(tokens_of(row))
        key = prompt_key(prompt_of(row))
        self.prompts += key
        if "input" not in row:
            return
        pair = Pair.of_row(row)
        self.pairs.append(_hash(key, pair.preferred, pair.other))
        self.opposites.append(_hash(key, pair.other, pair.preferred))
        self.preferred.append(len(pair.preferred))
        self.other.append(len(pair.other))

    def __len__(self) -> int:
        return len(self.lines)

    def contradictory(self) -> npt.NDArray[np.bool_]:
        """Which pairs are said the other way round by another row of the same prompt."""
        if not self.pairs:
            return np.zeros(len(self), dtype=np.bool_)
        return np.isin(numbers(self.pairs), numbers(self.opposites))

    def prompt_keys(self) -> list[bytes]:
        """Each row's prompt as its key (`rows.prompt_key`)."""
        return [bytes(self.prompts[at : at + 16]) for at in range(0, len(self.prompts), 16)]

    def groups(self) -> Ints:
        """The number of each row's prompt: rows of one prompt share it."""
        halves = np.frombuffer(bytes(self.prompts), dtype=">u8").reshape(-1, 2)
        _, owner = np.unique(halves, axis=0, return_inverse=True)
        return owner.reshape(-1).astype(np.int64)


def numbers(values: array[int]) -> Ints:
    """An array of the standard library as one of numpy."""
    return np.frombuffer(values, dtype=np.int64)


def _hash(key: bytes, first: str, second: str) -> int:
    """What stands for a pair: equal for texts that differ in white space alone."""
    texts = [" ".join(text.split()) for text in (first, second)]
    if texts[0] == texts[1]:  # a pair about white space itself
        texts = [first, second]
    said = key + b"\0".join(text.encode("utf-8", "surrogatepass") for text in texts)
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big", signed=True)


@dataclass(slots=True)
class Scan:
    """Counts over the rows seen, and the usable ones."""

    findings: Findings
    lines: int = 0
    blank: int = 0
    rows: int = 0
    crlf: bool = False
    longest: tuple[int, int] = (0, 0)
    evidence: Counter[str] = field(default_factory=Counter)
    first_line: dict[str, int] = field(default_factory=dict)
    roles: Counter[str] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)
    systems: int = 0
    kept: Kept = field(default_factory=Kept)

    def take(self, at: int, line: bytes) -> None:
        """Take in one physical line."""
        self.lines += 1
        size = getattr(line, "length", len(line))
        self.longest = max(self.longest, (size, at), key=lambda each: each[0])
        if not line.strip():
            self.blank += 1
            return
        self.rows += 1
        try:
            if type(line) is OverLong:
                raise orjson.JSONDecodeError("the line is too long", "", 0)
            row = orjson.loads(line)
        except orjson.JSONDecodeError as fault:
            self.findings.add(unreadable(at, line, fault))
            return
        self._row(at, row)

    def _row(self, at: int, row: Any) -> None:
        form = detecting.of_row(row)
        self.evidence[form] += 1
        self.first_line.setdefault(form, at)
        pair: Any = converting.pair_of(row) if form == CHOSEN else row
        found = [pair] if isinstance(pair, Finding) else list(_findings(form, pair))
        for finding in found:
            self.findings.add(_problem(at, finding))
        if not any(finding.level == ERROR for finding in found):
            self.kept.add(at, pair)
            self._shape(prompt_of(pair))

    def _shape(self, prompt: list[Any]) -> None:
        roles = [str(each["role"]) for each in prompt]
        self.roles.update(roles)
        self.systems += "system" in roles
        self.turns[min(MOST_TURNS, sum(role != "system" for role in roles))] += 1


def _findings(form: str, row: Any) -> list[Finding]:
    if form in {PAIRS, CHOSEN}:
        return list(pair_findings(row))
    if form == PROMPTS:
        return list(prompt_findings(row))
    found = list(row_findings(row))
    return found or [Finding("row.format", "", "the row is neither a pair nor a prompt without answer", row)]


def _problem(line: int, finding: Finding) -> Problem:
    remedy = PAIR_REMEDIES.get(finding.rule) or REMEDIES.get(finding.rule, "")
    shown = excerpt(finding.value) if finding.value is not None else ""
    return Problem(line, finding.field, finding.rule, finding.message, remedy, shown, finding.level)


def scan(path: Path, *, keep: int = 0, max_line: int = 20_000_000, progress: Progress | None = None) -> Scan:
    """Read a file once. `keep` is how many problems are kept; `progress(done, total)` is told bytes."""
    found = Scan(Findings(keep))
    for batch in batches(path, max_line=max_line, progress=progress):
        found.crlf = found.crlf or batch.crlf
        for at, line in enumerate(batch.lines, batch.first):
            found.take(at, line)
    return found
