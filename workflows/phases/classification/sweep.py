"""Phase 3: every base model is measured on the held-out rows, then the strongest are trained."""

from __future__ import annotations

from collections.abc import Sequence

from sessions.actions import classifying as writes
from sessions.classified import HEADLINES
from sessions.models import Candidate, Evaluation, TuningSession
from sessions.specification import short_name
from sessions.states import CandidateState
from workflows.answers import Subject
from workflows.outcomes import Done, Failed, Outcome, Wait
from workflows.phases import curves, datasets, sweep
from workflows.phases.classification import comparing, measuring, reads, strongest
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Ask, measure, choose, train; as far as it goes now."""
    bases = base_subjects(work.session)
    outcome = measuring.measured(work, bases)
    if outcome is not None:
        return outcome
    thin = reads.thin(work, bases)
    if thin:
        first = next(each for each in bases if each.key in thin)
        return Failed(reads.not_measured(work, first, thin[first.key]))
    said = words(work.session, bases)
    if work.session.value("benchmark_only"):
        comparing.keep(work, bases, [])
        return Done(said)
    wanted = going_on(work)
    if not sweep.advanced(work, wanted, datasets.training_part(work)):
        return Wait(work.poll_seconds)
    done = [each for each in wanted if each.state == CandidateState.DONE]
    if not done:
        return Failed(sweep.all_failed(wanted))
    for candidate in done:
        curves.keep_evaluation(work, candidate, sweep.heldout_rows(work), sweep.provenance(work, candidate))
    return Done(f"{said}; {len(done)} of {len(wanted)} candidates trained")


def base_subjects(session: TuningSession) -> list[Subject]:
    """Every chosen base model as it is."""
    return [Subject.base(each) for each in session.value("base_models")]


def accuracy(session: TuningSession) -> dict[str, float]:
    """The share of held-out rows that each measured model answers rightly, by subject."""
    found = Evaluation.objects.filter(session=session, metric__in=HEADLINES)
    return dict(found.values_list("subject", "value"))


def words(session: TuningSession, bases: Sequence[Subject]) -> str:
    """The benchmark in a line."""
    shares = accuracy(session)
    told = [f"{short_name(each.base_model)} {shares[each.key]:.1%}" for each in bases]
    return f"answered rightly as they are: {', '.join(told)}"


def going_on(work: Work) -> list[Candidate]:
    """The candidates of the strongest base models; the others are let go, with the reason."""
    shares = {key.removeprefix("base:"): share for key, share in accuracy(work.session).items()}
    candidates = sweep.prepared(work)
    models = strongest.chosen(work.session.specification, shares, strongest.competing(candidates))
    for candidate in candidates:
        if candidate.base_model not in models and candidate.state == CandidateState.PLANNED:
            why = f"{short_name(candidate.base_model)} is not among the {len(models)} strongest base models"
            writes.let_go(work.session, candidate, why, work.clock())
    return [each for each in candidates if each.base_model in models]
