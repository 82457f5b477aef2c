"""From the answers of a model to its figures: kept as evaluations, and as a file that the page shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sessions.actions import classifying as writes
from sessions.classified import slug
from sessions.models import Artifact
from workflows.answers import Subject
from workflows.data.labels_prompt import Prompt
from workflows.metrics import classification, multilabel
from workflows.metrics.classification import Classification, LabelScores
from workflows.metrics.f1_intervals import F1Intervals, intervals
from workflows.metrics.intervals import Estimate, Floats, wilson
from workflows.metrics.multilabel import OUTSIDE, MultiLabel
from workflows.outcomes import Outcome
from workflows.phases.classification import asking
from workflows.phases.classification.pictures import draw_confusion
from workflows.phases.classification.reads import Label, Read, read
from workflows.work import Work

FOLDER = "classification"


def measured(work: Work, subjects: Sequence[Subject]) -> Outcome | None:
    """None when every model's answers are there, and the figures of those that answered
    enough are kept; else what the step returns."""
    kept = set(work.session.artifacts.values_list("name", flat=True))
    left = [each for each in subjects if name_of(each.key) not in kept]
    if not left:
        return None
    outcome = asking.step(work, left)
    if outcome is None:
        for subject in left:
            if read(work, subject).is_enough:
                measure(work, subject, asking.prompt_of(work.session))
    return outcome


def measure(work: Work, subject: Subject, prompt: Prompt) -> None:
    """Keep the figures of one model, each with its interval and the rows it rests on."""
    found = read(work, subject)
    figures = with_intervals(
        several(found, prompt) if prompt.multi else single(found, prompt),
        f1_intervals(found, prompt.labels, work.session.value("seed")),
    )
    provenance = sources(work, subject)
    columns = {
        metric: {
            "value": each.value,
            "low": each.low,
            "high": each.high,
            "rows": each.rows,
            "provenance": {**provenance, "method": each.method},
        }
        for metric, each in figures.estimates
    }
    writes.keep_figures(work.session, subject.key, columns, words(subject, figures.estimates, found))
    if "matrix" in figures.body:
        drawn = draw_confusion(figures.body, slug(subject.key))
        work.keep(f"charts/confusion-{slug(subject.key)}.svg", "image/svg+xml", drawn)
    work.keep(name_of(subject.key), "application/json", json.dumps(figures.body, ensure_ascii=False))


def words(subject: Subject, estimates: Sequence[tuple[str, Estimate]], found: Read) -> str:
    """The figures in a line: right answers with their interval, answers outside the set, rows refused."""
    right, outside = estimates[0][1], dict(estimates)["outside"].value
    count = f"{right.rows:,} of {found.asked:,}" if found.refused else f"{right.rows:,}"
    refused = f"; Fireworks refused {len(found.refused):,} rows" if found.refused else ""
    return (
        f"{subject.label} answered {right.value:.1%} of {count} rows rightly "
        f"({right.low:.1%} to {right.high:.1%}); {outside:.1%} of its answers are outside the label set"
        f"{refused}"
    )


def name_of(key: str) -> str:
    """The file that holds the figures of one model."""
    return f"{FOLDER}/{slug(key)}.json"


@dataclass(frozen=True)
class Figures:
    """What is kept of one model: single numbers, and the tables for the page."""

    estimates: list[tuple[str, Estimate]]
    body: dict[str, Any]


def f1_intervals(found: Read, labels: Sequence[str], seed: int) -> F1Intervals:
    """What resampling the rows says of the figures that are no shares of rows."""
    said = [each if each is not None else () for each in found.said]
    return intervals(cells(found.right, labels), cells(said, labels), outside(found), seed=seed)


def cells(rows: Sequence[Label], labels: Sequence[str]) -> Floats:
    """1 where a row has a label, else 0; shape (rows, labels)."""
    places = {label: at for at, label in enumerate(labels)}
    made = np.zeros((len(rows), len(labels)))
    for row, found in enumerate(rows):
        made[row, [places[each] for each in found if each != OUTSIDE]] = 1
    return made


def with_intervals(figures: Figures, found: F1Intervals) -> Figures:
    """The figures with the ends that resampling gives, where they have none of their own."""
    estimates = [
        (metric, replace(each, low=found.figures[metric][0], high=found.figures[metric][1],
                         method=f"{each.method}, percentile bootstrap"))
        if metric in found.figures else (metric, each)
        for metric, each in figures.estimates
    ]  # fmt: skip
    for row, ends in zip(figures.body["by_label"], found.labels, strict=True):
        row["f1_low"], row["f1_high"] = ends or (None, None)
    return Figures(estimates, figures.body)


def single(found: Read, prompt: Prompt) -> Figures:
    """One label a row."""
    right = [each[0] for each in found.right]
    made = classification.classify(right, [said[0] if said else None for said in found.said], prompt.labels)
    estimates = [
        ("accuracy", share(found.hits)),
        ("accuracy_strict", share(found.strict_hits)),
        *means(made.macro, made.weighted, "weighted", made.rows),
        ("outside", share(outside(found))),
    ]
    body = {"matrix": made.matrix, "labels": list(made.labels), **table(made, found)}
    return Figures(estimates, body)


def several(found: Read, prompt: Prompt) -> Figures:
    """Any number of labels a row."""
    said = [(OUTSIDE,) if each is None else each for each in found.said]
    made = multilabel.classify(found.right, said, prompt.labels)
    estimates = [
        ("exact_match", share(found.hits)),
        ("exact_match_strict", share(found.strict_hits)),
        ("hamming_loss", number(made.hamming_loss, made.rows, "share of wrong cells")),
        *means(made.macro, made.micro, "micro", made.rows),
        ("outside", share(outside(found))),
    ]
    body = {"labels": list(made.labels), **table(made, found)}
    body["cells"] = [{"label": label, **asdict(each)} for label, each in made.cells.items()]
    body["swaps"] = [
        {"missing": each.missing, "added": each.added, "rows": each.count} for each in made.swaps
    ]
    return Figures(estimates, body)


def share(hits: Floats) -> Estimate:
    """A share of rows with Wilson's interval."""
    return wilson(int(hits.sum()), hits.size)


def outside(found: Read) -> Floats:
    """1 where an answer says something outside the set."""
    return np.array([each is None or OUTSIDE in each for each in found.said], dtype=float)


def number(value: float, rows: int, method: str) -> Estimate:
    """A figure without an interval."""
    return Estimate(value, rows, None, None, method)


def means(macro: LabelScores, other: LabelScores, word: str, rows: int) -> Iterator[tuple[str, Estimate]]:
    """Means over the labels."""
    for kind, scores in (("macro", macro), (word, other)):
        for name in ("precision", "recall", "f1"):
            yield f"{kind}_{name}", number(getattr(scores, name), rows, f"{kind} mean over the labels")


def table(made: Classification | MultiLabel, found: Read) -> dict[str, Any]:
    """Figures of each label; the interval is that of the recall, the share of its rows answered rightly."""
    rows = []
    for label, scores in made.by_label.items():
        interval = wilson(round(scores.recall * scores.support), scores.support) if scores.support else None
        rows.append(
            {
                "label": label,
                "support": scores.support,
                "precision": scores.precision,
                "recall": scores.recall,
                "f1": scores.f1,
                "low": interval.low if interval else None,
                "high": interval.high if interval else None,
            }
        )
    return {
        "rows": len(found.right),
        "right": int(found.hits.sum()),
        "right_strict": int(found.strict_hits.sum()),
        "outside": int(outside(found).sum()),
        "refused": len(found.refused),
        "cut": found.cut,
        "by_label": rows,
    }


def sources(work: Work, subject: Subject) -> dict[str, Any]:
    """Where the numbers of a model come from (product row 6.2)."""
    heldout = Artifact.objects.get(session=work.session, name="heldout.jsonl")
    trained = work.session.candidates.filter(model=subject.model).first()
    return {
        "model": subject.model,
        "job": trained.job if trained else "",
        "prompts": asking.PROMPTS,
        "heldout_file": heldout.name,
        "heldout_rows": heldout.detail["rows"],
        "heldout_sha256": heldout.sha256,
        "seed": work.session.value("seed"),
    }
