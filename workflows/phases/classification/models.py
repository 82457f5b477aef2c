"""The measured models of a session: what each is called, and what it answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessions.models import Candidate
from sessions.specification import short_name
from sessions.states import CandidateState
from workflows.answers import Subject
from workflows.phases.classification.reads import Read, read
from workflows.phases.classification.training import measured_model
from workflows.work import Work


@dataclass(frozen=True)
class Model:
    """A measured model. `candidate` is None for a base model as it is."""

    name: str
    subject: Subject
    read: Read
    candidate: Candidate | None = None

    @property
    def accuracy(self) -> float:
        """The share of rows answered rightly."""
        return float(self.read.hits.mean())


def models_of(work: Work, bases: Sequence[Subject], tuned: Sequence[Candidate]) -> list[Model]:
    """Base models and tuned ones with their answers."""
    subjects: list[tuple[str, Subject, Candidate | None]] = [(each.label, each, None) for each in bases]
    subjects += [(name_of(each), measured_model(each), each) for each in tuned]
    return [Model(name, subject, read(work, subject), candidate) for name, subject, candidate in subjects]


def name_of(candidate: Candidate) -> str:
    """A tuned model in words, by the candidate that a person knows it by: a full-data run repeats one."""
    parent = candidate.parent
    whole = " on all rows" if parent and candidate.state == CandidateState.DONE else ""
    which = f"candidate {(parent or candidate).number}{whole}"
    return f"{short_name(candidate.base_model)}, tuned ({which})"


def ranked(models: Sequence[Model]) -> list[Model]:
    """The most accurate first; of equals a tuned one, then the one with the lower number."""

    def place(each: Model) -> tuple[float, bool, int]:
        return -each.accuracy, each.candidate is None, each.candidate.number if each.candidate else 0

    return sorted(models, key=place)
