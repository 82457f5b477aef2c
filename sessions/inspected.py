"""What a worker found in an uploaded file, as the pages read it (JSON of workflows.data.inspection)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from sessions.models import Upload
from sessions.spreadsheets import csv_line

FATAL, ERROR = "fatal", "error"
SHOWN = 20  # problems on the card; the CSV has all that were kept
COLUMNS = ("line", "level", "rule", "field", "message", "remedy", "excerpt")
RULES = {
    "row.json": "not valid JSON",
    "row.utf8": "not UTF-8",
    "row.too-long": "too long a line",
    "row.object": "not an object",
    "row.format": "another format",
    "row.weight": "the row's weight",
    "tools.type": "tools are no list of objects",
    "messages.empty": "no messages",
    "messages.type": "messages are no list",
    "message.type": "a message is no object",
    "role.missing": "a role is missing",
    "role.unknown": "an unknown role",
    "system.position": "a system message that is not first",
    "content.missing": "content is missing",
    "content.type": "content is no text",
    "content.part": "a part is no text part",
    "content.image": "an image",
    "content.empty": "an empty answer",
    "weight.value": "a weight other than 0 and 1",
    "tool_calls.type": "tool calls are no list of calls",
    "function_call.type": "a function call is none",
    "reasoning.type": "reasoning is no text",
    "assistant.none": "no answer to train on",
    "turn.unanswered": "the last question has no answer",
    "input.type": "the prompt is no object with messages",
    "prompt.empty": "nothing is asked",
    "prompt.last": "a prompt that does not end with the user",
    "prompt.turns": "several turns in a prompt",
    "answer.type": "an answer is no list with one message",
    "answer.turns": "more than one answer on a side",
    "answer.role": "an answer that is not the assistant's",
    "answer.empty": "an empty answer on one side",
    "pair.identical": "both answers are the same",
    "pair.contradicts": "contradicts another pair of its prompt",
    "chosen.type": "chosen or rejected is no conversation",
    "chosen.prompts": "chosen and rejected begin differently",
    "row.copy": "an exact copy of another row",
    "row.near-copy": "nearly a copy of another row",
    "file.foreign": "not a text file",
    "file.empty": "an empty file",
    "file.vision": "images",
    "file.format": "another format",
    "file.mixed": "several formats",
    "file.too-few": "too few samples",
    "file.too-many": "too many samples",
    "file.weights": "weights on some rows only",
}
FORMATS = {
    "chat": "chat, as OpenAI has it",
    "prompts-with-answer": "prompts with a ground truth",
    "prompts": "prompts without answers",
    "pairs": "preference pairs",
    "chosen-rejected": "chosen and rejected conversations",
    "completion": "prompts and completions",
    "vision": "messages with images",
    "unknown": "not recognised",
}


@dataclass(frozen=True)
class Problem:
    """One fault: physical line (1-based; 0: the whole file), field path, rule, and what to do."""

    line: int = 0
    field: str = ""
    rule: str = ""
    message: str = ""
    remedy: str = ""
    excerpt: str = ""
    level: str = ERROR


@dataclass(frozen=True)
class Lengths:
    """Tokens of single samples, and the range that the total lies in. `bars` are (upper bound, samples)."""

    low: int
    high: int
    p50: int
    p90: int
    p99: int
    longest: int
    bars: Sequence[tuple[int, int]]

    @property
    def is_range(self) -> bool:
        return self.low != self.high


@dataclass(frozen=True)
class RuleCount:
    """How often a rule is broken; for the file as a whole, 1."""

    rule: str
    words: str
    rows: int


@dataclass(frozen=True)
class Report:
    """A file that was read. Counts are of rows; tokens are those of the usable rows, `token_note` says how
    they were counted; `counts` has all problems by rule, `problems` the first ones."""

    format: str
    samples: int
    usable: int
    tokens: int | None
    token_note: str
    duplicates: int
    problems: Sequence[Problem]
    counts: Mapping[str, int]
    conversions: Sequence[Mapping[str, Any]]
    near_duplicates: int = 0
    lengths: Lengths | None = None
    roles: Mapping[str, int] = field(default_factory=dict)
    other_fields: Mapping[str, int] = field(default_factory=dict)

    @property
    def format_words(self) -> str:
        return FORMATS.get(self.format, self.format)

    @property
    def fatal(self) -> list[Problem]:
        """Faults for which the file is refused whatever the person chooses."""
        return [each for each in self.problems if each.level == FATAL]

    @property
    def bad(self) -> list[Problem]:
        """Faults of single rows, which can be left out."""
        return [each for each in self.problems if each.level == ERROR]

    @property
    def bad_rows(self) -> int:
        return max(0, self.samples - self.usable)

    @property
    def shown(self) -> Sequence[Problem]:
        return self.problems[:SHOWN]

    @property
    def by_rule(self) -> list[RuleCount]:
        """Every rule that is broken, most often first; rows that repeat another are told beside."""
        counts = {**self.counts, "row.copy": self.duplicates, "row.near-copy": self.near_duplicates}
        found = [RuleCount(rule, RULES.get(rule, rule), rows) for rule, rows in counts.items() if rows]
        return sorted(found, key=lambda each: (-each.rows, each.rule))

    @property
    def problem_count(self) -> int:
        return max(sum(self.counts.values()), len(self.problems))


def report(upload: Upload) -> Report | None:
    """What was found, or None while the file has not been read."""
    return None if upload.inspection is None else from_json(upload.inspection)


def from_json(found: Mapping[str, Any]) -> Report:
    tokens = found.get("tokens") or {}
    return Report(
        format=found.get("format", "unknown"),
        samples=found.get("samples", 0),
        usable=found.get("usable_samples", 0),
        tokens=tokens.get("total"),
        token_note=tokens.get("method", ""),
        duplicates=found.get("duplicates", 0),
        problems=[problem(each) for each in found.get("problems", ())],
        counts=found.get("problem_counts") or {},
        conversions=found.get("conversions") or (),
        near_duplicates=found.get("near_duplicates", 0),
        lengths=lengths(tokens) if tokens.get("total") and "low" in tokens else None,
        roles=found.get("roles") or {},
        other_fields=found.get("other_fields") or {},
    )


def lengths(tokens: Mapping[str, Any]) -> Lengths:
    numbers = {name: tokens[name] for name in ("low", "high", "p50", "p90", "p99", "longest")}
    bars = [(bound, rows) for bound, rows in tokens["histogram"]]
    first = next((at for at, (_, rows) in enumerate(bars) if rows), 0)
    return Lengths(**numbers, bars=bars[first:])


def problem(raw: Mapping[str, Any]) -> Problem:
    known = {each.name for each in fields(Problem)}
    return Problem(**{name: value for name, value in raw.items() if name in known})


def table(problems: Iterable[Problem]) -> Iterator[str]:
    """The problems as lines of CSV, no cell of which a spreadsheet takes for a formula."""
    yield from (
        csv_line(COLUMNS),
        *(csv_line([getattr(each, name) for name in COLUMNS]) for each in problems),
    )
