"""Writes of what classification measured. Each names the session's lease, as all writes of the engine do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction

from sessions.actions import moves
from sessions.actions.events import change
from sessions.models import Candidate, Evaluation, TuningSession
from sessions.models.event import Level
from sessions.states import CandidateState

FIGURE = ("value", "low", "high", "rows", "provenance")
COLUMNS = (*FIGURE, "candidate")


@transaction.atomic
def let_go(session: TuningSession, candidate: Candidate, why: str, now: datetime) -> None:
    """A candidate whose base model did less well than others is not trained. Raises LeaseLost."""
    rows = Candidate.objects.filter(pk=candidate.pk, state=CandidateState.PLANNED)
    if rows.update(state=CandidateState.CANCELLED, ended_at=now, detail={"let_go": why}):
        tell(session, "candidate-let-go", f"{candidate.label} is not trained: {why}")


def tell(session: TuningSession, kind: str, text: str, **options: Any) -> None:
    """An event of the worker that holds the lease. Raises LeaseLost."""
    if not change(session, kind, text, expected={"lease": session.lease}, **options):
        raise moves.LeaseLost(session.public_id)


@transaction.atomic
def keep_figures(session: TuningSession, subject: str, figures: dict[str, dict[str, Any]], text: str) -> None:
    """All figures of one model by metric (value, low, high, rows, provenance), and one line in the log; none
    where the same figures stand already. Raises LeaseLost.
    """
    if figures == dict(standing(session, subject)):
        return
    tell(session, "measured", text, level=Level.GOOD, data={"subject": subject})
    number = subject.removeprefix("candidate:") if subject.startswith("candidate:") else None
    candidate = Candidate.objects.get(session=session, number=number) if number else None
    rows = [
        Evaluation(session=session, subject=subject, metric=metric, candidate=candidate, **columns)
        for metric, columns in figures.items()
    ]
    Evaluation.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=("session", "subject", "metric"), update_fields=COLUMNS
    )


def standing(session: TuningSession, subject: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is kept of one model so far, by metric."""
    for each in Evaluation.objects.filter(session=session, subject=subject).values("metric", *FIGURE):
        yield each["metric"], {name: each[name] for name in FIGURE}
