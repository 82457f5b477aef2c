"""Every prediction as CSV: one line a held-out row, the answers of all models side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sessions.models import Artifact
from sessions.spreadsheets import csv_line
from workflows.metrics.multilabel import OUTSIDE
from workflows.phases.classification import asking
from workflows.phases.classification.data import LINES, truths
from workflows.phases.classification.models import Model
from workflows.phases.classification.reads import Label, Read
from workflows.work import Work

FILE = "predictions.csv"
REFUSED = "refused"  # by Fireworks: neither right nor wrong
SEVERAL = "; "  # between the labels of one row


def keep(work: Work, models: Sequence[Model]) -> None:
    """Write the file. `line` is the physical line of the row in the staged data."""
    lines = json.loads(Artifact.objects.get(session=work.session, name=LINES).path.read_bytes())
    parts = ("answer", "read as", "right", "right by the strict rule")
    heads = (f"{each.name}: {part}" for each in models for part in parts)
    out = [csv_line(["row", "line", "label", *heads])]
    texts = [
        list(asking.answers(work.session, each.subject.key).values_list("text", flat=True)) for each in models
    ]
    right = truths(work)
    reads = [by_row(each.read) for each in models]
    for row, (line, label) in enumerate(zip(lines, right, strict=True)):
        cells = [str(row), str(line), SEVERAL.join(label)]
        for model, answers, found in zip(models, texts, reads, strict=True):
            refused = model.read.refused.get(row)
            cells += [answers[row], *found[row]] if refused is None else [refused, REFUSED, "", ""]
        out.append(csv_line(cells))
    work.keep(FILE, "text/csv", "".join(out))


def by_row(found: Read) -> dict[int, list[str]]:
    """What an answer was read as, and whether that is right by either rule."""
    parts = zip(found.rows, found.said, found.hits, found.strict_hits, strict=True)
    return {row: [read_as(said), yes(hit), yes(strict)] for row, said, hit, strict in parts}


def read_as(said: Label | None) -> str:
    """The labels of an answer; empty when it is outside the set as a whole."""
    return SEVERAL.join(each if each != OUTSIDE else "outside the set" for each in said or ())


def yes(hit: float) -> str:
    """A right answer in a word."""
    return "yes" if hit else "no"
