"""Phase 4: the winning configuration on all training rows."""

from __future__ import annotations

from collections.abc import Sequence

from sessions.models import Candidate
from sessions.models.evidence import Role
from sessions.states import CandidateState
from workflows.outcomes import Done, Failed, Failure, Outcome, Skip, Wait
from workflows.phases import curves, datasets, sweep
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Train the winner again on everything, or say why that does not apply."""
    reason = not_needed(work)
    if reason:
        return Skip(reason)
    assert work.session.winner is not None  # noqa: S101  # the sweep ends only with a winner
    runs = full_runs(work, [work.session.winner])
    if runs is None:
        return Wait(work.poll_seconds)
    (final,) = runs
    return Done(curves.losses(final)) if final.state == CandidateState.DONE else Failed(failure(final))


def full_runs(work: Work, parents: Sequence[Candidate]) -> list[Candidate] | None:
    """The full-data run of each of these candidates, once all are over; None while one is not."""
    runs = [prepared(work, parent) for parent in parents]
    if not sweep.advanced(work, runs, datasets.TRAIN):
        return None
    for final in runs:
        if final.state == CandidateState.DONE:
            curves.keep_evaluation(work, final, sweep.heldout_rows(work), sweep.provenance(work, final))
    return runs


def not_needed(work: Work) -> str:
    """Why there is no full-data run; empty when there is one."""
    if not work.session.value("final_run"):
        return "you asked to skip it; the winning candidate is deployed as it is"
    if datasets.training_part(work) == datasets.TRAIN:
        return (
            "the winner was already trained on all training rows, and the same run again gives the same model"
        )
    return ""


def prepared(work: Work, parent: Candidate) -> Candidate:
    """The row of a full-data run: its parent's configuration under the next number."""
    final, _ = Candidate.objects.get_or_create(
        session=work.session,
        role=Role.FINAL,
        parent=parent,
        defaults={
            "number": Candidate.objects.filter(session=work.session).count() + 1,
            "base_model": parent.base_model,
            "lora_rank": parent.lora_rank,
            "learning_rate": parent.learning_rate,
            "epochs": parent.epochs,
        },
    )
    return final


def failure(final: Candidate) -> Failure:
    """The full-data run came to nothing; the winning candidate is still there."""
    told = final.detail.get("failure", {})
    return Failure(
        sweep.WHOSE.get(told.get("code", ""), "platform"),
        "The full-data run failed.",
        "The winning candidate's model is kept. Start again and skip the full-data run to deploy it.",
        told.get("message", ""),
        retry_safe=True,
    )
