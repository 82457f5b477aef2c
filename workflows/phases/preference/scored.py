"""A tuned model against its base model by an evaluator's scores of the same rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sessions.actions import scoring as writes
from sessions.models import Artifact, Evaluation
from workflows.answers import Subject
from workflows.metrics import words
from workflows.metrics.win_rates import win_rate
from workflows.phases import scoring
from workflows.phases.datasets import HELDOUT
from workflows.phases.preference.judging import WIN_RATE
from workflows.work import Work


def keep(work: Work, subject: Subject, baseline: Subject, metric: str = WIN_RATE) -> None:
    """The share of rows on which the subject scores higher, ties counted half; nothing without common rows,
    or when it is there."""
    if Evaluation.objects.filter(session=work.session, subject=subject.key, metric=metric).exists():
        return
    ours, theirs = (scoring.scores(work.session, each.key) for each in (subject, baseline))
    rows = sorted(ours.keys() & theirs.keys())
    if not rows:
        return
    wins = sum(ours[row] > theirs[row] for row in rows)
    losses = sum(ours[row] < theirs[row] for row in rows)
    rate = win_rate(wins, losses, len(rows))
    shown = words.interval(rate, is_share=True)
    counts = f"{wins:,} won, {len(rows) - wins - losses:,} tied, {losses:,} lost"
    text = f"{subject.label} against {baseline.label}: scores higher in {shown}; {counts}."
    heldout = Artifact.objects.get(session=work.session, name=HELDOUT.artifact)
    told: dict[str, Any] = {
        "baseline": baseline.key,
        "by": "evaluator",
        "wins": wins,
        "ties": len(rows) - wins - losses,
        "losses": losses,
        "win_rate": asdict(rate),
        "clear": not rate.holds(0.5),
        "sentences": [text],
        "seed": work.session.value("seed"),
        "heldout_file": heldout.name,
        "heldout_sha256": heldout.sha256,
    }
    writes.keep_evaluation(
        work.session, subject.key, metric, text,
        value=rate.value, low=rate.low, high=rate.high, rows=rate.rows, provenance=told,
    )  # fmt: skip
