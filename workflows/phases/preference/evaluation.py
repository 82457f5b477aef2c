"""Phase 5 of preference learning: every trained model against its base, the best against each other, and the
comparison before a person."""

from __future__ import annotations

from collections.abc import Sequence

from sessions.models import Answer, Candidate
from sessions.models.evidence import Role
from sessions.states import CandidateState, GateKind
from workflows.answers import Subject
from workflows.outcomes import Ask, Done, Failed, Failure, Outcome
from workflows.phases.preference import comparison, judging, leading, measuring, prompts, scored
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Measure what is not measured yet, then ask which model goes on."""
    if work.session.winner:
        return Done(comparison.chosen(work))
    done = trained(work)
    outcome = answered(work, done)
    for candidate in done:
        outcome = outcome or measuring.step(work, candidate)
    if outcome is not None:
        return outcome
    ranked = comparison.ranked(work.session, done)
    if not ranked:
        return Failed(nothing_measured(work))
    for place, pair in enumerate(leading.duels(ranked), 1):
        outcome = head_to_head(work, place, *pair)
        if outcome is not None:
            return outcome
    body = comparison.proposal(work.session, done)
    text = f"Confirm what is deployed: candidate {body['suggested']} is suggested"
    return Ask(GateKind.PROMOTION, text, body)


def trained(work: Work) -> list[Candidate]:
    """The candidates whose job came to a model."""
    return list(work.session.candidates.filter(role=Role.SWEEP, state=CandidateState.DONE))


def answered(work: Work, done: Sequence[Candidate]) -> Outcome | None:
    """All answers at once, so that models of one base share what serves them."""
    if measuring.by_evaluator(work.session):
        return None  # scoring asks by itself
    wanted = {each.key: each for candidate in done for each in measuring.subjects(candidate)}
    return prompts.asked(work, list(wanted.values()))


def head_to_head(work: Work, place: int, one: Candidate, rival: Candidate) -> Outcome | None:
    """Two tuned models on the same prompts."""
    match = judging.final(place, one, rival)
    if not measuring.by_evaluator(work.session):
        return judging.step(work, match)
    scored.keep(work, Subject.of(one), Subject.of(rival), match.metric)
    return None


def nothing_measured(work: Work) -> Failure:
    """The models are there, and nothing says which is better; the first refused answer stands for all."""
    refused = Answer.objects.filter(session=work.session).exclude(error="").order_by("pk").first()
    return Failure(
        "platform",
        "No trained model could be compared: not one held-out row has a valid verdict or score.",
        "The trained models are kept in your account. Look at the answers, and try another evaluator.",
        refused.error if refused else "",
        retry_safe=True,
    )
