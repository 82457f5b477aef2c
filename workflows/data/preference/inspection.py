"""Inspection of a file of preference data: the same report as of other data, and what only pairs have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .. import formats
from ..inspection import KEEP, LEAST_SAMPLES, MOST_SAMPLES, Conversion, Inspection
from ..lines import BOM, MAX_LINE, Progress, foreign
from ..problems import FATAL, Findings, Problem
from ..tokens import Scaled, stats
from . import converting, detecting, shared
from .lint import Lint, contradictions, lint
from .scan import Scan, scan
from .shared import Lines


@dataclass(frozen=True, slots=True)
class Inspected:
    """The report, and the lint of its usable rows."""

    report: Inspection
    lint: Lint


def inspect(
    path: Path,
    *,
    progress: Progress | None = None,
    max_problems_kept: int = KEEP,
    max_line: int = MAX_LINE,
    scaled: Scaled | None = None,
    measured: Lines | None = None,
) -> Inspected:
    """Read a JSONL file once and say what it holds and what is wrong with it.

    The arguments are those of `workflows.data.inspection.inspect`; `measured` are the prompts that are
    measured on instead, with their lines in their own file. A chosen/rejected row counts as usable
    when it can be converted; tokens of pairs are those of both conversations. Raises OSError.
    """
    with path.open("rb") as file:
        head = file.read(8)
    kind = foreign(head)
    found = (
        Scan(Findings(max_problems_kept))
        if kind
        else scan(path, keep=max_problems_kept, max_line=max_line, progress=progress)
    )
    checked = lint(found.kept)
    for problem in contradictions(found.kept):
        found.findings.add(problem)
    for problem in shared.problems(found.kept, measured or {}):
        found.findings.add(problem)
    report = _report(found, checked, scaled)
    verdicts = tuple(_verdicts(found, checked, kind))
    return Inspected(
        replace(
            report,
            bytes=path.stat().st_size,
            bom=head.startswith(BOM),
            problems=(*verdicts, *found.findings.kept),
            problem_counts=dict(
                sorted((found.findings.counts | {each.rule: 1 for each in verdicts}).items())
            ),
        ),
        checked,
    )


def _report(found: Scan, checked: Lint, scaled: Scaled | None) -> Inspection:
    return Inspection(
        bytes=0,
        lines=found.lines,
        blank_lines=found.blank,
        samples=found.rows,
        usable_samples=checked.rows,
        format=detecting.of_file(found.evidence),
        evidence=dict(sorted(found.evidence.items())),
        roles=dict(sorted(found.roles.items())),
        turns=dict(sorted(found.turns.items())),
        tokens=stats(found.kept.tokens, found.kept.lines, scaled),
        system_rows=found.systems,
        duplicates=checked.copies,
        longest_row=found.longest,
        conversions=_conversions(found),
        crlf=found.crlf,
    )


def _conversions(found: Scan) -> tuple[Conversion, ...]:
    rows = found.evidence[formats.CHOSEN]
    if not rows:
        return ()
    first = found.first_line[formats.CHOSEN]
    return (Conversion(converting.KIND, rows, first, True, converting.WHY),)


def _verdicts(found: Scan, checked: Lint, kind: str) -> list[Problem]:
    """What makes the file as a whole unusable for preference learning."""
    if kind:
        return [
            _fatal("file.foreign", f"the file is {kind}, not JSONL", "Save it as UTF-8 text, a row a line.")
        ]
    if not found.rows:
        return [_fatal("file.empty", "the file is empty", "Choose a file with at least 3 pairs or prompts.")]
    refused = detecting.refusal(found.evidence, found.first_line)
    if refused:
        return [refused]
    if checked.rows < LEAST_SAMPLES:
        message = f"the file has {checked.rows} usable rows of {found.rows}"
        remedy = f"Fireworks needs at least {LEAST_SAMPLES}: add rows or mend those listed."
        return [_fatal("file.too-few", message, remedy)]
    if checked.rows > MOST_SAMPLES:
        message = f"the file has {checked.rows:,} rows; Fireworks takes {MOST_SAMPLES:,}"
        return [_fatal("file.too-many", message, "Split the file or draw a sample.")]
    return []


def _fatal(rule: str, message: str, remedy: str) -> Problem:
    return Problem(0, "", rule, message, remedy, level=FATAL)
