"""Phase 5: what the model that will be deployed is worth on rows it has not seen."""

from __future__ import annotations

from decimal import Decimal

from sessions.actions import spending
from sessions.models import Candidate, TuningSession
from workflows.answers import Subject
from workflows.outcomes import Done, Outcome
from workflows.phases import scoring, sweep
from workflows.work import Work


def final_model(session: TuningSession) -> Candidate:
    """The candidate whose model is deployed: the full-data run, or the winner where there was none."""
    chosen = session.result
    assert chosen is not None  # noqa: S101  # no session comes here without a winner
    return chosen


def step(work: Work) -> Outcome:
    """Measure the final model directly on the held-out rows, and say what it is worth."""
    final = final_model(work.session)
    if not scoring.strategy_of(work.session):
        spending.settle(work.session, "inference", Decimal(0))  # the training jobs themselves measured
        return Done(loss_words(work, final))
    outcome = scoring.step(work, [Subject.of(final)])
    return outcome or Done(f"{score_words(work, final)}; {loss_words(work, final)}")


def loss_words(work: Work, final: Candidate) -> str:
    """The final model's validation loss, beside the winning candidate's."""
    winner = work.session.winner
    if final.validation_loss is None:
        return "Fireworks reported no validation loss for the final model"
    text = f"validation loss {final.validation_loss:.4f} on {sweep.heldout_rows(work):,} held-out rows"
    if winner and winner != final and winner.validation_loss is not None:
        better = "lower" if final.validation_loss < winner.validation_loss else "not lower"
        text += f"; {better} than the winning candidate's {winner.validation_loss:.4f}"
    return text


def score_words(work: Work, final: Candidate) -> str:
    """The final model's mean score, beside the winning candidate's and the base model's."""
    found = {each.subject: each for each in work.session.evaluations.filter(metric=scoring.METRIC)}
    mine = found.get(final.subject)
    if mine is None:
        return "not one answer of the final model has a score"
    text = f"mean score {mine.value:.3f} on {mine.rows:,} held-out rows"
    winner, base = work.session.winner, found.get(f"base:{final.base_model}")
    others = [("the winning candidate", found.get(winner.subject) if winner and winner != final else None)]
    others.append(("the base model as it is", base))
    told = [f"{words} {each.value:.3f}" for words, each in others if each]
    return f"{text} ({', '.join(told)})" if told else text
