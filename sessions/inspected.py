"""What a worker found in an uploaded file, as the pages read it (JSON of workflows.data.inspection)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sessions.models import Upload

FATAL, ERROR = "fatal", "error"
SHOWN = 20  # problems on the card; the CSV has all that were kept
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("line", "level", "rule", "field", "message", "remedy", "excerpt")
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
    )


def problem(raw: Mapping[str, Any]) -> Problem:
    known = {each.name for each in fields(Problem)}
    return Problem(**{name: value for name, value in raw.items() if name in known})


def table(problems: Iterable[Problem]) -> Iterator[str]:
    """The problems as lines of CSV, no cell of which a spreadsheet takes for a formula."""
    yield from (
        csv_line(COLUMNS),
        *(csv_line([getattr(each, name) for name in COLUMNS]) for each in problems),
    )


def csv_line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([f"'{cell}" if str(cell).startswith(FORMULA) else cell for cell in cells])
    return out.getvalue()
