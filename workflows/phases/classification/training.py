"""Phase 4: the best configuration of each base model that goes on, trained on all training rows."""

from __future__ import annotations

from collections.abc import Sequence

from sessions.models import Candidate, TuningSession
from sessions.models.evidence import Role
from sessions.specification import short_name
from sessions.states import CandidateState
from workflows.answers import Subject
from workflows.outcomes import Done, Failed, Outcome, Skip, Wait
from workflows.phases import training
from workflows.work import Work

BENCHMARK_ONLY = "you asked for a benchmark only"


def step(work: Work) -> Outcome:
    """Train each of them again on everything, or say why that does not apply."""
    if work.session.value("benchmark_only"):
        return Skip(BENCHMARK_ONLY)
    if not work.session.value("final_run"):
        return Skip("you asked to skip it; the candidates are measured as they are")
    if training.not_needed(work):
        return Skip("the candidates were already trained on all training rows")
    runs = training.full_runs(work, best_of_each(work.session))
    if runs is None:
        return Wait(work.poll_seconds)
    done = [each for each in runs if each.state == CandidateState.DONE]
    if not done:
        return Failed(training.failure(runs[0]))
    return Done(
        " ".join([f"{len(done)} of {len(runs)} full-data runs trained.", *fallbacks(runs)]).rstrip(".")
    )


def trained(session: TuningSession) -> list[Candidate]:
    """The candidates of the sweep that were trained."""
    return list(session.candidates.filter(role=Role.SWEEP, state=CandidateState.DONE))


def best_of_each(session: TuningSession) -> list[Candidate]:
    """Of each base model the candidate with the lowest validation loss, in the order of the base models."""
    best: dict[str, Candidate] = {}
    for each in sorted(trained(session), key=rank):
        best.setdefault(each.base_model, each)
    return [best[name] for name in session.value("base_models") if name in best]


def rank(candidate: Candidate) -> tuple[bool, float, int]:
    """Lowest loss first; without one last."""
    loss = candidate.validation_loss
    return loss is None, loss or 0.0, candidate.number


def to_measure(session: TuningSession) -> list[Candidate]:
    """The tuned models that are measured: the full-data runs, or every candidate where there were none.

    A full-data run that failed is there too; `measured_model` tells what is asked in its place.
    """
    runs = session.candidates.filter(role=Role.FINAL).select_related("parent")
    return list(runs.order_by("number")) or trained(session)


def measured_model(candidate: Candidate) -> Subject:
    """What is asked for a candidate: its own model; for a full-data run that failed that of the candidate it
    repeats, under the run's name and ledger line, which nothing else uses."""
    stands_in = candidate.parent if candidate.state != CandidateState.DONE else None
    return Subject(candidate.subject, (stands_in or candidate).model, candidate.base_model)


def fallbacks(measured: Sequence[Candidate]) -> list[str]:
    """A sentence for each full-data run that failed."""
    return [
        f"The full-data run of {short_name(each.base_model)} failed: candidate {each.parent.number}, trained "
        "on the sample, is measured in its place."
        for each in measured
        if each.parent and each.state != CandidateState.DONE
    ]
