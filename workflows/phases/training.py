"""Phase 4: the winning configuration on all training rows."""

from __future__ import annotations

from sessions.models import Candidate
from sessions.models.evidence import Role
from sessions.states import CandidateState
from workflows.outcomes import Done, Failed, Failure, Outcome, Skip, Wait
from workflows.phases import candidates, curves, datasets, sweep
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Train the winner again on everything, or say why that does not apply."""
    reason = not_needed(work)
    if reason:
        return Skip(reason)
    final = prepared(work)
    if final.state == CandidateState.PLANNED:
        train = datasets.uploaded(work, datasets.TRAIN)
        candidates.launch(work, final, train, datasets.uploaded(work, datasets.HELDOUT))
        return Wait(work.poll_seconds)
    if final.state == CandidateState.ACTIVE:
        candidates.look(work, final)
        final.refresh_from_db()
    if final.state == CandidateState.DONE:
        curves.keep_evaluation(work, final, sweep.heldout_rows(work), sweep.provenance(work, final))
        return Done(curves.losses(final))
    if final.is_over:
        return Failed(failure(final))
    return Wait(work.poll_seconds)


def not_needed(work: Work) -> str:
    """Why there is no full-data run; empty when there is one."""
    if not work.session.value("final_run"):
        return "you asked to skip it; the winning candidate is deployed as it is"
    if datasets.training_part(work) == datasets.TRAIN:
        return (
            "the winner was already trained on all training rows, and the same run again gives the same model"
        )
    return ""


def prepared(work: Work) -> Candidate:
    """The row of the full-data run: the winner's configuration under the next number."""
    winner = work.session.winner
    assert winner is not None  # noqa: S101  # the sweep ends only with a winner
    final, _ = Candidate.objects.get_or_create(
        session=work.session,
        role=Role.FINAL,
        defaults={
            "number": Candidate.objects.filter(session=work.session).count() + 1,
            "base_model": winner.base_model,
            "lora_rank": winner.lora_rank,
            "learning_rate": winner.learning_rate,
            "epochs": winner.epochs,
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
