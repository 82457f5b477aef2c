"""Rows whose structure was seen before are not parsed again.

A JSONL file that a program wrote has millions of rows and a handful of structures: the same keys, brackets
and roles, other texts. The structure of a row is everything but the texts of its values. Found with numpy for
a whole batch at once (where the quotes are, which of them are escaped, what lies between), it is hashed, and
the first row of each structure is parsed and held against the rules. When that row is a plain, faultless chat
sample, every later row of the same structure is one too, as long as its texts are valid JSON strings: no
control characters, valid escapes, valid UTF-8, not blank. Whatever is not as simple as that is left to the
parser, so the outcome is the same, only sooner.

The values of `role` and `type` belong to the structure. The idea of an index of structural characters is that
of Mison and simdjson.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np
import orjson

from . import formats
from .index import Index, Looked
from .lines import OverLong
from .rules import SYSTEM_LIKE, other_fields, row_findings

TRIED, WORTH = 4000, 0.25  # after so many lines, fewer known than this share: not worth the look
MOST = 5000  # structures that are remembered; a hostile file has no end of them
UNKNOWN, PARSE = -1, -2
PLAIN_ROLES = SYSTEM_LIKE | {"user", "assistant"}


@dataclass(frozen=True, slots=True)
class Structure:
    """What all rows of one structure have in common."""

    roles: tuple[str, ...]
    ground_truth: bool
    first_line: int
    more_bytes: int = 0  # of tools, which are then the same in all rows
    fields: tuple[str, ...] = ()  # of the row, beside what training reads


@dataclass(slots=True)
class Structures:
    """The structures seen so far in a file."""

    known: list[Structure] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    _by_hash: dict[int, int] = field(default_factory=dict)
    _lines: int = 0

    @property
    def worth_it(self) -> bool:
        """Whether looking saves time: a file of many structures is parsed sooner without."""
        return self._lines < TRIED or sum(self.counts) - len(self.known) > WORTH * self._lines

    def look(self, lines: list[bytes], first: int = 1) -> Looked:
        """Tell the lines of known structure from those that must be parsed; `first` is the first's number."""
        self._lines += len(lines)
        index = Index.of(lines)
        hashes, usable = index.hashes()
        which = np.full(len(lines), PARSE, dtype=np.int64)
        rows = np.flatnonzero(usable)
        which[rows] = np.fromiter(
            map(self._by_hash.get, hashes[rows].tolist(), repeat(UNKNOWN)), np.int64, rows.size
        )
        for line in np.flatnonzero(which == UNKNOWN).tolist():
            which[line] = self._judge(int(hashes[line]), lines[line], index, line, first + line)
        for number, count in enumerate(np.bincount(which[which >= 0], minlength=len(self.known)).tolist()):
            self.counts[number] += count
        systems = np.array([each.roles[0] in SYSTEM_LIKE for each in self.known] or [False], dtype=np.bool_)
        more = np.array([each.more_bytes for each in self.known] or [0], dtype=np.int64)
        return index.looked(which, systems, more)

    def _judge(self, key: int, line: bytes, index: Index, at: int, first_line: int) -> int:
        """The number of a structure, PARSE when its rows are not plain; remembered."""
        known = self._by_hash.get(key)
        if known is not None or len(self._by_hash) >= MOST or type(line) is OverLong:
            return PARSE if known is None else known
        row = _plain(line)
        number = PARSE
        if row and index.agrees(at, row):
            roles = tuple(message["role"] for message in row["messages"])
            number = len(self.known)
            tools = len(orjson.dumps(row["tools"])) if row.get("tools") else 0
            has_truth = "ground_truth" in row
            self.known.append(Structure(roles, has_truth, first_line, tools, other_fields(row)))
            self.counts.append(0)
        self._by_hash[key] = number
        return number


def _plain(line: bytes) -> dict[str, Any] | None:
    """The row when it is a faultless chat sample of texts alone."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if formats.of_row(row) != formats.CHAT or any(row_findings(row)):
        return None
    messages = row["messages"]
    plain = all(len(each) == 2 and type(each.get("content")) is str for each in messages)
    if not plain or not {each["role"] for each in messages} <= PLAIN_ROLES:
        return None
    return None if row.get("weight") is not None or "functions" in row else row
