"""What a trained candidate is worth on the held-out prompts: by the evaluator that was named, else by a
judge."""

from __future__ import annotations

from sessions.models import Candidate, Evaluation, TuningSession
from workflows.answers import Subject
from workflows.outcomes import Outcome
from workflows.phases import scoring
from workflows.phases.preference import judging, scored
from workflows.phases.preference.judging import WIN_RATE
from workflows.work import Work

SCORE = scoring.METRIC


def by_evaluator(session: TuningSession) -> bool:
    """Whether an evaluator scores the answers; else a judge compares them (product row 4.5)."""
    return bool(session.value("evaluator"))


def subjects(candidate: Candidate) -> list[Subject]:
    """Who is asked: the base model as it is, and the tuned one."""
    return [Subject.base(candidate.base_model), Subject.of(candidate)]


def step(work: Work, candidate: Candidate) -> Outcome | None:
    """None when the candidate has its numbers; else what the phase's step returns."""
    if not by_evaluator(work.session):
        return judging.step(work, judging.against_base(candidate))
    left = [each for each in subjects(candidate) if not is_told(work.session, each)]
    if left:
        outcome = scoring.step(work, left)
        if outcome is not None:
            return outcome
    scored.keep(work, Subject.of(candidate), Subject.base(candidate.base_model))
    return None


def is_told(session: TuningSession, subject: Subject) -> bool:
    """Whether a subject's mean score is there, or that it has none was told: neither changes any more."""
    known = Evaluation.objects.filter(session=session, subject=subject.key, metric=SCORE)
    unscored = session.events.filter(kind="not-scored", text__startswith=f"{subject.label}:")
    return known.exists() or unscored.exists()


def number(session: TuningSession, candidate: Candidate, metric: str = "") -> Evaluation | None:
    """A candidate's number: by default the one that decides."""
    metric = metric or (SCORE if by_evaluator(session) else WIN_RATE)
    return Evaluation.objects.filter(
        session=session, subject=candidate.subject, metric=metric, rows__gt=0
    ).first()


def reaches(session: TuningSession, candidate: Candidate) -> bool:
    """Whether the candidate's number is at the target or beyond. The report says how sure that is."""
    target = session.value("target")
    if not target:
        return False
    metric, figure = target
    found = number(session, candidate, metric)
    return found is not None and found.value >= figure
