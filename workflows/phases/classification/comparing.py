"""Models against each other on the same held-out rows: tuned against base, and tuned ones against each other.

All comparisons of a session are corrected together (Holm), so that one false alarm among all of them stays as
rare as in one. Which model is best is known only afterwards, so every pair that it might have been of counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from sessions.models import Candidate, Evaluation, TuningSession
from workflows.answers import Subject
from workflows.metrics import bootstrap
from workflows.metrics.intervals import Floats
from workflows.metrics.paired import Comparison, compare
from workflows.metrics.verdicts import Verdict, verdicts
from workflows.phases.classification import predictions
from workflows.phases.classification.models import Model, models_of, ranked
from workflows.work import Work

FILE = "classification/comparison.json"
MOST_ROWS = 500  # rows of a comparison that the page can open


def keep(work: Work, bases: Sequence[Subject], tuned: Sequence[Candidate]) -> dict[str, Any]:
    """Compare, and keep what came of it for the gate, the page and the report."""
    models = models_of(work, bases, tuned)
    seed = work.session.value("seed")
    pairs = list(paired(models))
    judged = verdicts([compare(one.name, other.name, *shared(one, other), seed=seed) for one, other in pairs])
    best = ranked([each for each in models if each.candidate] or models)[0]
    found = [
        told(one, other, verdict)
        for (one, other), verdict in zip(pairs, judged, strict=True)
        if is_shown(best, one, other)
    ]
    body = {"models": [figures(work.session, each) for each in ranked(models)], "comparisons": found}
    predictions.keep(work, ranked(models))
    work.keep(FILE, "application/json", json.dumps(body, ensure_ascii=False))
    return body


def paired(models: Sequence[Model]) -> Iterator[tuple[Model, Model]]:
    """Each tuned model against its base model, then every pair of the tuned ones, the better one first; every
    pair of base models where nothing was tuned."""
    bases = {each.subject.base_model: each for each in models if each.candidate is None}
    tuned = ranked([each for each in models if each.candidate])
    for each in tuned:
        yield each, bases[each.subject.base_model]
    yield from combinations(tuned or ranked(models), 2)


def is_shown(best: Model, one: Model, other: Model) -> bool:
    """Whether a pair tells a person something: a tuned model against its base, the best against another."""
    return one is best or (one.candidate is not None and other.candidate is None)


def shared(one: Model, other: Model) -> tuple[Floats, Floats]:
    """What either has right of the rows that both answered."""
    _, ours, theirs = np.intersect1d(one.read.rows, other.read.rows, return_indices=True)
    return one.read.hits[ours], other.read.hits[theirs]


def told(one: Model, other: Model, verdict: Verdict) -> dict[str, Any]:
    """A comparison for the page: the sentence, and the numbers behind it."""
    found: Comparison = verdict.comparison
    interval = bootstrap.mean(found.differences, seed=found.seed, level=found.difference.level)
    rows = np.intersect1d(one.read.rows, other.read.rows)
    gained, lost = rows[found.differences > 0], rows[found.differences < 0]
    return {
        "first": one.subject.key,
        "second": other.subject.key,
        "sentence": verdict.sentence,
        "word": verdict.word,
        "difference": found.difference.value,
        "low": found.difference.low,
        "high": found.difference.high,
        "level": found.difference.level,
        "bootstrap_low": interval.low,
        "bootstrap_high": interval.high,
        "p": verdict.p,
        "test": found.test,
        "rows": found.difference.rows,
        "rows_needed": verdict.rows_needed,
        "gained": len(gained),
        "lost": len(lost),
        "gained_rows": gained[:MOST_ROWS].tolist(),
        "lost_rows": lost[:MOST_ROWS].tolist(),
        "against_base": other.candidate is None and one.candidate is not None,
    }


def figures(session: TuningSession, model: Model) -> dict[str, Any]:
    """The numbers of one model, for tables."""
    rows = Evaluation.objects.filter(session=session, subject=model.subject.key)
    return {
        "subject": model.subject.key,
        "name": model.name,
        "base_model": model.subject.base_model,
        "number": model.candidate.number if model.candidate else None,
        "metrics": {
            each.metric: {"value": each.value, "low": each.low, "high": each.high, "rows": each.rows}
            for each in rows
        },
    }
