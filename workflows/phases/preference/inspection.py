"""Phase 1 of preference learning: pairs, or prompts that pairs will be made from."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from sessions.models import Artifact
from sessions.specification import Option, Question
from workflows.data import formats
from workflows.data.conversion import Example
from workflows.data.inspection import Inspection
from workflows.data.preference import converting, shared
from workflows.data.preference.inspection import inspect
from workflows.faults import DataFault
from workflows.outcomes import Done, Outcome
from workflows.phases import questions, staging
from workflows.phases.inspection import (
    DATA,
    EVALUATION,
    KEPT_PROBLEMS,
    about_bad_rows,
    bad_rows,
    fatal,
    keep,
    words,
)
from workflows.work import Work

LINT = "pairs.json"


def step(work: Work) -> Outcome:
    """Questions first; then each file is read once, and what only a person can decide is asked."""
    asked = questions.unanswered(work)
    if asked:
        return asked
    evaluation = work.session.value("evaluation_dataset")
    measured = look(work, evaluation, EVALUATION, "evaluation-inspection") if evaluation else None
    found = look(work, work.session.value("dataset"), DATA, "inspection")
    open_questions = list(undecided(work, found, measured))
    if open_questions:
        ask = questions.page(open_questions)
        assert ask is not None  # noqa: S101  # some questions are always a gate
        return ask
    return Done(f"{words(found)}; {evidence(found)}")


def undecided(work: Work, found: Inspection, measured: Inspection | None) -> list[Question]:
    """What the data leaves open: rows that cannot be used, and prompts of which no pairs may be made."""
    session, asked = work.session, []
    if found.format == formats.PROMPTS and session.value("make_pairs") is False:
        fault = "The dataset has prompts without answers, and you asked not to make pairs of them."
        told = "Make them here from the answers of a strong and a weak model, or start again with pairs."
        asked.append(Question("make_pairs", fault, (Option("yes", "Make the pairs"),), told))
    bad = bad_rows(found) + (bad_rows(measured) if measured else 0)
    if bad and not session.value("drop_bad_rows"):
        text, told = about_bad_rows(found, measured)
        asked.append(Question("drop_bad_rows", text, (Option("yes", "Leave them out"),), told))
    return asked


def evidence(found: Inspection) -> str:
    """What the format was told by."""
    parts = ", ".join(f"{rows:,} {formats.WORDS[form]}" for form, rows in found.evidence.items() if rows)
    return f"{parts} of {found.samples:,} rows"


def look(work: Work, reference: str, name: str, report: str) -> Inspection:
    """Stage and inspect one file, once. Raises DataFault when it cannot be used at all."""
    known = Artifact.objects.filter(session=work.session, name=f"{report}.json").first()
    if known:
        return Inspection.from_json(json.loads(known.path.read_bytes()))
    source = staging.bring_in(work, reference, name)
    other = work.folder / EVALUATION
    measured = shared.asked_in(other) if name == DATA and work.session.value("evaluation_dataset") else {}
    found = inspect(source.path, max_problems_kept=KEPT_PROBLEMS, measured=measured)
    if name == DATA:
        work.keep(LINT, "application/json", json.dumps(found.lint.to_json()))
    keep(work, report, source, found.report, preview)
    if not found.report.usable:
        raise DataFault(*fatal(found.report, source.words))
    return found.report


def preview(path: Path, _kinds: Collection[str], limit: int) -> Sequence[Example]:
    """Chosen/rejected rows before and after they become pairs: the only conversion there is."""
    return converting.preview(path, limit)
