"""The running tally of an inspection: one pass, fast ways for plain rows and a careful one for the rest.

A row whose structure was seen before is not parsed at all (`structure`). Most others are
`{"messages": [{"role": text, "content": text}, ...]}`; for them it is enough to look up the tuple of roles
(few distinct ones in a file) and to join the texts, which also checks that they are texts. Everything else
goes through `rules`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from . import formats, tokens
from .kept import Rows
from .legacy import is_legacy
from .lines import Batch, OverLong
from .problems import ERROR, EXCERPT, REMEDIES, Findings, Problem, excerpt
from .rules import (
    DEVELOPER,
    SFT_ROLES,
    SYSTEM_LIKE,
    TOOL_LIKE,
    Finding,
    other_fields,
    row_findings,
    wants_answer,
)
from .structure import Structures

CAREFUL_KEYS = frozenset(
    {"weight", "functions", "preferred_output", "non_preferred_output", "chosen", "rejected"}
)
MOST_TURNS = 100  # longer conversations are counted as this many
MOST_SHAPES = 5000  # distinct sequences of roles that are remembered; a hostile file has no end of them
GROUND_TRUTH, TOOL_ROLES, CONTENT_PARTS, WEIGHTS = "ground_truth", "tool_roles", "content_parts", "weights"
FUNCTION_CALLS, DEVELOPER_ROLES = "function_calls", "developer_roles"
MOST_FIELDS = 100  # distinct other fields of rows that are remembered
ANSWERS_TO_MAP, ROW_WEIGHTS, UNTRAINABLE, SYSTEM = "answers_to_map", "row_weights", "untrainable", "system"
UNUSABLE = -1
Ints = npt.NDArray[np.int64]
_MESSAGE_FORMATS = frozenset({formats.CHAT, formats.ANSWERS, formats.PROMPTS})


@dataclass(slots=True)
class Tally:
    """Counts over the rows seen so far. `compare` keeps what copies and near copies are found by."""

    findings: Findings
    compare: bool = True
    lines: int = 0
    blank: int = 0
    rows: int = 0
    usable: int = 0
    crlf: bool = False
    evidence: Counter[str] = field(default_factory=Counter)
    shapes: Counter[tuple[str, ...]] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)  # beside what training reads
    first_line: dict[str, int] = field(default_factory=dict)
    longest: tuple[int, int] = (0, 0)  # bytes, line
    kept: Rows = field(default_factory=Rows)
    _plain: dict[tuple[str, ...], bool] = field(default_factory=dict)
    _structures: Structures = field(default_factory=Structures)
    _tokens: int = UNUSABLE  # of the row just looked at
    _texts: list[bytes] = field(default_factory=list)  # of it, to compare

    def add(self, batch: Batch) -> Ints:
        """Take in a batch of physical lines: the tokens of each, UNUSABLE where it is no usable row."""
        self.lines += len(batch.lines)
        self.crlf = self.crlf or batch.crlf
        self._note_longest(batch)
        look = self._structures.look(batch.lines, batch.first) if self._structures.worth_it else None
        known = np.zeros(len(batch.lines), dtype=np.bool_) if look is None else look.which >= 0
        counts = np.full(len(batch.lines), UNUSABLE, dtype=np.int64)
        if look:
            counts[known] = look.tokens[known]
            self.rows += int(np.count_nonzero(known))
        texts: list[tuple[int, bytes]] = []
        for at in np.flatnonzero(~known).tolist():
            counts[at] = self._parse(batch.first + at, batch.lines[at])
            if self.compare and counts[at] != UNUSABLE:
                texts += [(at, text) for text in self._texts]
        usable = np.flatnonzero(counts != UNUSABLE)
        self.usable += usable.size
        if self.compare and usable.size:
            self.kept.add(batch, usable, counts[usable], look, texts)
        return counts

    def finish(self) -> None:
        """Spread the remembered role sequences over the other counts."""
        for structure, count in zip(self._structures.known, self._structures.counts, strict=True):
            self.shapes[structure.roles] += count
            self.marks[GROUND_TRUTH] += count * structure.ground_truth
            if DEVELOPER in structure.roles:
                self.marks[DEVELOPER_ROLES] += count
                before = self.first_line.get(DEVELOPER_ROLES, structure.first_line)
                self.first_line[DEVELOPER_ROLES] = min(before, structure.first_line)
            self._note_fields(structure.fields, count)
        for shape, count in self.shapes.items():
            self._count_shape(shape, count)
            self.evidence[formats.CHAT] += count
        self.shapes.clear()

    def _parse(self, at: int, line: bytes) -> int:
        """Take in one line the long way: its tokens, UNUSABLE when it is no usable row."""
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as fault:
            self._unreadable(at, line, fault)
            return UNUSABLE
        self.rows += 1
        self._tokens, self._texts = UNUSABLE, []
        if not self._plain_row(row):
            self._careful_row(at, row)
        if type(row) is dict and len(row) > 1:
            self._note_fields(other_fields(row), 1)
        return self._tokens

    def _note_fields(self, names: tuple[str, ...], rows: int) -> None:
        for name in names:
            if name in self.fields or len(self.fields) < MOST_FIELDS:
                self.fields[name[:EXCERPT]] += rows

    def _note_longest(self, batch: Batch) -> None:
        cut = OverLong in set(map(type, batch.lines))
        sizes = [getattr(line, "length", len(line)) for line in batch.lines] if cut else ()
        longest = max(sizes or map(len, batch.lines))
        if longest > self.longest[0]:
            at = next(at for at, size in enumerate(sizes or map(len, batch.lines)) if size == longest)
            self.longest = (longest, batch.first + at)

    def _plain_row(self, row: Any) -> bool:
        """Count a plain, faultless chat row; False when it needs the careful way (nothing counted then)."""
        try:
            messages = row["messages"]
            roles = tuple([message["role"] for message in messages])
            contents = [message["content"] for message in messages]
            text = "".join(contents)
            plain = self._plain.get(roles)
        except (KeyError, TypeError):
            return False
        count = len(roles)
        if plain is None:
            plain = self._judge(roles)
        if not plain or sum(map(len, messages)) != 2 * count or not row.keys().isdisjoint(CAREFUL_KEYS):
            return False
        if "" in contents or any(map(str.isspace, contents)):
            return False
        size = len(text) if text.isascii() else len(text.encode())
        if "tools" in row:
            tools = row["tools"]
            if type(tools) is not list or not all(type(each) is dict for each in tools):
                return False
            size += len(orjson.dumps(tools)) if tools else 0
        if GROUND_TRUTH in row:
            self.marks[GROUND_TRUTH] += 1
        self.shapes[roles] += 1
        self._tokens = tokens.of_bytes(size, count)
        if self.compare:
            self._texts = [
                _written(each) for role, each in zip(roles, contents, strict=True) if role != "system"
            ]
        return True

    def _judge(self, roles: tuple[str, ...]) -> bool:
        """Whether a sequence of roles is faultless and ends with an answer; remembered."""
        if len(self._plain) >= MOST_SHAPES or len(roles) > MOST_TURNS:
            return False
        rest = roles[1:] if roles[:1] == ("system",) else roles
        self._plain[roles] = rest[-1:] == ("assistant",) and set(rest) <= {"user", "assistant"}
        return self._plain[roles]

    def _careful_row(self, line: int, row: Any) -> None:
        form = formats.of_row(row)
        self.evidence[form] += 1
        self.first_line.setdefault(form, line)
        if form not in _MESSAGE_FORMATS:
            self._foreign_row(line, form, row)
            return
        findings = list(row_findings(row))
        self._mark(line, row, {finding.rule for finding in findings})
        for finding in findings:
            self._found(line, finding)
        if all(finding.level != ERROR for finding in findings):
            self._tokens = tokens.of_sample(row)
            shown = (each for each in row["messages"] if self.compare and each.get("role") not in SYSTEM_LIKE)
            self._texts = [_written(each.get("content") or each.get("tool_calls")) for each in shown]

    def _foreign_row(self, line: int, form: str, row: Any) -> None:
        if not isinstance(row, dict):
            self._found(line, next(row_findings(row)))
        elif form == formats.VISION:
            self._found(line, Finding("content.image", "messages", "the row holds an image", row))
        else:
            found = f"the row has no messages: {formats.WORDS[form]}"
            self._found(line, Finding("row.format", "", found, list(row)))

    def _mark(self, line: int, row: dict[str, Any], rules: set[str]) -> None:
        messages = [each for each in _list(row.get("messages")) if isinstance(each, dict)]
        roles = tuple(str(each.get("role")) for each in messages)
        self._count_shape(roles, 1)
        marks = {
            GROUND_TRUTH: GROUND_TRUTH in row,
            ANSWERS_TO_MAP: wants_answer(row),
            FUNCTION_CALLS: is_legacy(row),
            DEVELOPER_ROLES: DEVELOPER in roles,
            TOOL_ROLES: not TOOL_LIKE.isdisjoint(roles),
            CONTENT_PARTS: any(isinstance(each.get("content"), list) for each in messages),
            WEIGHTS: any("weight" in each for each in messages),
            ROW_WEIGHTS: row.get("weight") is not None,
            UNTRAINABLE: "assistant.none" in rules,
        }
        for name in (name for name, there in marks.items() if there):
            self.marks[name] += 1
            self.first_line.setdefault(name, line)

    def _count_shape(self, roles: tuple[str, ...], count: int) -> None:
        for role in roles:
            known = role if role in SFT_ROLES else "other"
            self.roles[known] += count
        if not SYSTEM_LIKE.isdisjoint(roles):
            self.marks[SYSTEM] += count
        self.turns[min(MOST_TURNS, sum(role not in SYSTEM_LIKE for role in roles))] += count

    def _unreadable(self, at: int, line: bytes, fault: orjson.JSONDecodeError) -> None:
        if not line.strip():
            self.blank += 1
            return
        self.rows += 1
        self.findings.add(unreadable(at, line, fault))

    def _found(self, line: int, finding: Finding) -> None:
        self.findings.add(
            Problem(
                line,
                finding.field,
                finding.rule,
                finding.message,
                REMEDIES.get(finding.rule, ""),
                "" if finding.value is None else excerpt(finding.value),
                finding.level,
            )
        )


def _written(text: Any) -> bytes:
    """A text as JSON writes it, without the quotes: so texts of parsed and of known rows compare."""
    return orjson.dumps(text)[1:-1]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def unreadable(at: int, line: bytes, fault: orjson.JSONDecodeError) -> Problem:
    """The problem of a line that is no JSON: too long, not UTF-8, or where the syntax breaks."""
    if type(line) is OverLong:
        message = f"the line has {line.length:,} bytes"
        return Problem(at, "", "row.too-long", message, REMEDIES["row.too-long"], excerpt(bytes(line)))
    try:
        text = line.decode()
    except UnicodeDecodeError as broken:
        message = f"byte {broken.start + 1} of the line is not UTF-8"
        return Problem(at, "", "row.utf8", message, REMEDIES["row.utf8"], excerpt(line, broken.start))
    message = f"not valid JSON at character {fault.pos + 1}: {fault.msg}"
    return Problem(at, "", "row.json", message, _syntax_remedy(text, fault.pos), excerpt(text, fault.pos))


def _syntax_remedy(text: str, at: int) -> str:
    rest = text[at : at + 9]
    if rest.startswith(("NaN", "Infinity", "-Infinity")):
        return "JSON has no NaN or Infinity: write null, or take the row out."
    if rest.startswith("'"):
        return "JSON wants double quotes."
    if text.strip() in ("[", "]", "{", "}"):
        return "The file looks like one JSON document over many lines: write one object per line (JSONL)."
    return REMEDIES["row.json"]
