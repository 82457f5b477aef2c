"""The tab of a written evaluator: both files in full, and how it scored real samples."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sessions.models import Artifact
from sessions.views.markdown import rendered

# Names that workflows/phases/authoring.py gives its files.
CODE, SPECIFICATION = "outputs/evaluator.py", "outputs/eval_spec.md"
SCORES, FACTS = "outputs/evaluator_scores.csv", "outputs/evaluator.json"
ANSWERS = {
    "reference": "The dataset's own answers",
    "other row's": "Answers of other rows",
    "spoiled": "The own answers, made wrong",
    "empty": "No answer",
}


def shown(files: Mapping[str, Artifact], public_id: str) -> dict[str, Any]:
    """What the tab's template needs."""
    facts = files[FACTS].detail
    return {
        "evaluator": facts,
        "means": [(words, facts["means"].get(what)) for what, words in ANSWERS.items()],
        "code": text(files.get(CODE)),
        "spec": rendered(text(files.get(SPECIFICATION)), public_id),
        "scores": rows(files.get(SCORES)),
        "evaluator_files": [files[name] for name in (CODE, SPECIFICATION, SCORES) if name in files],
    }


def text(artifact: Artifact | None) -> str:
    """A small file in full; empty when it is not there any more."""
    path = artifact.path if artifact else Path("nowhere")
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def rows(artifact: Artifact | None) -> list[dict[str, str]]:
    """Every answer that was scored, with its line in the data."""
    found = list(csv.DictReader(io.StringIO(text(artifact), newline="")))
    return [row | {"answer": ANSWERS.get(row["answer"], row["answer"])} for row in found]
