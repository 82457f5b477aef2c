"""Phase 5: what the model that will be deployed is worth on rows it has not seen."""

from __future__ import annotations

from decimal import Decimal

from sessions.actions import spending
from sessions.models import Candidate, TuningSession
from sessions.models.evidence import Role
from sessions.states import CandidateState
from workflows.outcomes import Done, Outcome
from workflows.phases import sweep
from workflows.work import Work


def final_model(session: TuningSession) -> Candidate:
    """The candidate whose model is deployed: the full-data run, or the winner where there was none."""
    final = session.candidates.filter(role=Role.FINAL, state=CandidateState.DONE).first()
    chosen = final or session.winner
    assert chosen is not None  # noqa: S101  # no session comes here without a winner
    return chosen


def step(work: Work) -> Outcome:
    """Say what the final model's validation loss is, beside the winning candidate's."""
    final, winner = final_model(work.session), work.session.winner
    rows = sweep.heldout_rows(work)
    spending.settle(work.session, "inference", Decimal(0))  # the training jobs themselves measured the loss
    if final.validation_loss is None:
        return Done("Fireworks reported no validation loss for the final model")
    text = f"validation loss {final.validation_loss:.4f} on {rows:,} held-out rows"
    if winner and winner != final and winner.validation_loss is not None:
        better = "lower" if final.validation_loss < winner.validation_loss else "not lower"
        text += f"; {better} than the winning candidate's {winner.validation_loss:.4f}"
    return Done(text)
