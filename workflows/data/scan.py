"""The running tally of an inspection: one pass, a fast way for plain rows and a careful one for the rest.

Most rows are `{"messages": [{"role": text, "content": text}, ...]}`; for them it is enough to look up the
tuple of roles (few distinct ones in a file) and to join the texts, which also checks that they are texts.
Everything else goes through `rules`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from . import formats, tokens
from .lines import Batch, OverLong
from .problems import ERROR, REMEDIES, Findings, Problem, excerpt
from .rules import ROLES, TOOL_LIKE, Finding, row_findings, wants_answer

CAREFUL_KEYS = frozenset({"weight", "preferred_output", "non_preferred_output", "chosen", "rejected"})
MOST_TURNS = 100  # longer conversations are counted as this many
MOST_SHAPES = 5000  # distinct sequences of roles that are remembered; a hostile file has no end of them
GROUND_TRUTH, TOOL_ROLES, CONTENT_PARTS, WEIGHTS = "ground_truth", "tool_roles", "content_parts", "weights"
ANSWERS_TO_MAP, ROW_WEIGHTS, UNTRAINABLE, SYSTEM = "answers_to_map", "row_weights", "untrainable", "system"
_MESSAGE_FORMATS = frozenset({formats.CHAT, formats.ANSWERS, formats.PROMPTS})


@dataclass(slots=True)
class Tally:
    """Counts over the rows seen so far. `tokens` has one per usable row, `hashes` one per decoded row."""

    findings: Findings
    lines: int = 0
    blank: int = 0
    rows: int = 0
    crlf: bool = False
    evidence: Counter[str] = field(default_factory=Counter)
    shapes: Counter[tuple[str, ...]] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    first_line: dict[str, int] = field(default_factory=dict)
    longest: tuple[int, int] = (0, 0)  # bytes, line
    tokens: array[int] = field(default_factory=lambda: array("Q"))
    hashes: array[int] = field(default_factory=lambda: array("q"))
    _plain: dict[tuple[str, ...], bool] = field(default_factory=dict)

    def add(self, batch: Batch) -> None:
        """Take in a batch of physical lines."""
        self.lines += len(batch.lines)
        self.crlf = self.crlf or batch.crlf
        self._note_longest(batch)
        loads, add_hash, plain_row = orjson.loads, self.hashes.append, self._plain_row
        for at, line in enumerate(batch.lines, batch.first):
            try:
                row = loads(line)
            except orjson.JSONDecodeError as fault:
                self._unreadable(at, line, fault)
                continue
            add_hash(hash(line))
            if not plain_row(row):
                self._careful_row(at, row)

    def take(self, at: int, line: bytes) -> int | None:
        """Take in one line; the estimated tokens of its row, None when the row is not usable."""
        before = len(self.tokens)
        self.add(Batch(at, [line]))
        return self.tokens[-1] if len(self.tokens) > before else None

    def finish(self) -> None:
        """Spread the remembered role sequences over the other counts."""
        for shape, count in self.shapes.items():
            self._count_shape(shape, count)
            self.evidence[formats.CHAT] += count
        self.shapes.clear()
        self.rows += len(self.hashes)

    def _note_longest(self, batch: Batch) -> None:
        sizes = [line.length if type(line) is OverLong else len(line) for line in batch.lines]
        longest = max(sizes)
        if longest > self.longest[0]:
            self.longest = (longest, batch.first + sizes.index(longest))

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
        self.tokens.append(tokens.of_bytes(size, count))
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
            self.tokens.append(tokens.of_sample(row))

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
            known = role if role in ROLES | TOOL_LIKE else "other"
            self.roles[known] += count
        if "system" in roles:
            self.marks[SYSTEM] += count
        self.turns[min(MOST_TURNS, sum(role != "system" for role in roles))] += count

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
