"""The tab of a written evaluator: both files in full, and how it scored real samples."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from sessions.models import Artifact
from sessions.views.markdown import rendered

# Names that workflows/phases/authoring.py gives its files, and scoring_code.py those of a brought one.
CODE, SPECIFICATION = "outputs/evaluator.py", "outputs/eval_spec.md"
SCORES, FACTS = "outputs/evaluator_scores.csv", "outputs/evaluator.json"
LARGEST_SHOWN = 1_000_000  # bytes
BROUGHT = {FACTS: "evaluator/evaluator.json", CODE: "evaluator/evaluator.py", SCORES: "evaluator/scores.csv"}
ANSWERS = {
    "reference": "The dataset's own answers",
    "other row's": "Answers of other rows",
    "spoiled": "The own answers, made wrong",
    "empty": "No answer",
}


def names(files: Mapping[str, Artifact]) -> Mapping[str, str]:
    """Where the session's evaluator has its files; the later one, where a change made another."""
    made, brought = files.get(FACTS), files.get(BROUGHT[FACTS])
    later = brought and (made is None or brought.created_at > made.created_at)
    return BROUGHT if later else {name: name for name in (FACTS, CODE, SCORES, SPECIFICATION)}


def is_there(files: Mapping[str, Artifact]) -> bool:
    """Whether the session has an evaluator to show."""
    return FACTS in files or BROUGHT[FACTS] in files


def shown(files: Mapping[str, Artifact], public_id: str) -> dict[str, Any]:
    """What the tab's template needs."""
    named = names(files)
    facts = files[named[FACTS]].detail
    kept = [files.get(named.get(name, "")) for name in (CODE, SPECIFICATION, SCORES)]
    code, spec, scores = kept
    return {
        "evaluator": facts,
        "means": [(words, facts["means"][what]) for what, words in ANSWERS.items() if what in facts["means"]],
        "code": text(code),
        "spec": rendered(text(spec), public_id) if spec else "",
        "scores": rows(scores),
        "evaluator_files": [each for each in kept if each],
    }


def text(artifact: Artifact | None) -> str:
    """A small file in full; empty when it is not there any more, or too large for a page."""
    if artifact is None or artifact.bytes > LARGEST_SHOWN or not artifact.path.is_file():
        return ""
    return artifact.path.read_text(encoding="utf-8", errors="replace")


def rows(artifact: Artifact | None) -> list[dict[str, str]]:
    """Every answer that was scored, with its line in the data."""
    found = list(csv.DictReader(io.StringIO(text(artifact), newline="")))
    return [row | {"answer": ANSWERS.get(row["answer"], row["answer"])} for row in found]
