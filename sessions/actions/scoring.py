"""Writes of what an evaluator made of answers. Each names the session's lease: a worker that lost it changes
nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from sessions.actions import moves, storable
from sessions.actions.events import change
from sessions.models import Answer, Candidate, Evaluation, TuningSession
from sessions.models.event import Level


@transaction.atomic
def keep_results(session: TuningSession, now: datetime, answers: Sequence[Answer]) -> None:
    """What was made of these answers. Raises LeaseLost."""
    moves.renew(session, now)
    for each in answers:
        each.result = storable.json(each.result)
    Answer.objects.bulk_update(answers, ["result"], batch_size=500)


@transaction.atomic
def keep_evaluation(
    session: TuningSession, subject: str, metric: str, text: str, **columns: Any
) -> Evaluation:
    """One measured number of a subject, and a line in the log when it is new or another than before.

    `columns` are value, low, high, rows and provenance. Raises LeaseLost.
    """
    known = Evaluation.objects.filter(session=session, subject=subject, metric=metric).first()
    number = subject.removeprefix("candidate:") if subject.startswith("candidate:") else None
    candidate = Candidate.objects.get(session=session, number=number) if number else None
    if known and all(getattr(known, name) == value for name, value in columns.items()):
        return known
    if not change(session, "measured", text, expected={"lease": session.lease}, level=Level.GOOD,
                  data={"subject": subject, "metric": metric}):  # fmt: skip
        raise moves.LeaseLost(session.public_id)
    evaluation, _ = Evaluation.objects.update_or_create(
        session=session, subject=subject, metric=metric, defaults={**columns, "candidate": candidate}
    )
    return evaluation
