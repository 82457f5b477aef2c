"""Loss curves: from the provider's metrics file to the candidate's row, the workspace and the chart."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from sessions.models import Candidate, Evaluation
from sessions.models.event import Level
from workflows import pictures
from workflows.fireworks import metrics_file
from workflows.fireworks.errors import Permanent
from workflows.phases.trainers import Seen
from workflows.work import Work


def read(work: Work, candidate: Candidate, job: Seen) -> bool:
    """Fetch the metrics of a job and keep what is new; True when there was something new."""
    points = fetched(work, candidate, job)
    if not points or points == candidate.curve:
        return False
    before = len(evaluations(candidate.curve))
    candidate.curve = points
    candidate.train_loss = last(points, "train_loss")
    candidate.validation_loss = last(points, "eval_loss")
    with transaction.atomic():
        candidate.save(update_fields=["curve", "train_loss", "validation_loss"])
        for epoch, point in enumerate(evaluations(points)[before:], before + 1):
            text = f"epoch {epoch} of {candidate.epochs}, validation loss {point['eval_loss']:.4f}"
            work.tell("epoch", f"{candidate.label}: {text}")
    pictures.losses(work)
    return True


def fetched(work: Work, candidate: Candidate, job: Seen) -> list[dict[str, Any]]:
    """The points of a job's metrics file; none when it is refused: a curve less ends no training."""
    try:
        return [point.to_json() for point in metrics_file.fetch(work.fireworks, job.metrics_url)]
    except Permanent as error:
        if job.state != candidate.remote_state:  # said once for each state of the job, not at every look
            work.tell("no-metrics", f"{candidate.label}: no metrics, {error}", level=Level.WARN)
        return []


def evaluations(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The points of evaluation passes."""
    return [point for point in points if point.get("eval_loss") is not None]


def last(points: list[dict[str, Any]], key: str) -> float | None:
    """The last value of one curve."""
    return next((point[key] for point in reversed(points) if point.get(key) is not None), None)


def percent(candidate: Candidate) -> int:
    """How far a job is by its curve, for jobs that tell no progress: the epochs behind it, 0 to 100."""
    epoch = last(candidate.curve, "epoch") or 1.0
    return min(100, max(0, int(100 * (epoch - 1) / max(1, candidate.epochs))))


def tokens(candidate: Candidate) -> int | None:
    """Tokens trained on so far, as the metrics count them."""
    counted = last(candidate.curve, "tokens")
    return None if counted is None else int(counted)


def losses(candidate: Candidate) -> str:
    """A candidate's losses in words."""
    parts = {"training loss": candidate.train_loss, "validation loss": candidate.validation_loss}
    known = [f"{label} {value:.4f}" for label, value in parts.items() if value is not None]
    return ", ".join(known) or "no losses were reported"


def keep_evaluation(work: Work, candidate: Candidate, rows: int, provenance: dict[str, Any]) -> None:
    """The final losses as evaluations, with the number of rows they rest on and where they come from."""
    for metric, value in (
        ("validation_loss", candidate.validation_loss),
        ("train_loss", candidate.train_loss),
    ):
        if value is not None:
            Evaluation.objects.update_or_create(
                session=work.session,
                subject=candidate.subject,
                metric=metric,
                defaults={
                    "candidate": candidate,
                    "value": value,
                    "rows": rows if metric == "validation_loss" else provenance.get("training_rows", 0),
                    "provenance": provenance,
                },
            )
