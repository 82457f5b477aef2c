"""A brought evaluator tried on a few real rows, apart: does it run, and does it tell answers from each other?

What its owner means by right is not known: a low score of the dataset's own answers is told, not refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from sessions.texts import text_of
from workflows.evaluators.isolation import Evaluator
from workflows.evaluators.limits import Limits
from workflows.evaluators.results import Scored
from workflows.evaluators.samples import Sample
from workflows.evaluators.scoring import SLICE
from workflows.evaluators.trial import EMPTY, OTHER, REFERENCE, Answer, Score

TOGETHER = (
    f"The evaluator scores rows together: up to {SLICE} at a time, within {Limits().together:g} s. A "
    "fault leaves all of them without a score."
)
LOW = 0.5  # a mean of the dataset's own answers below which the plan warns


@dataclass(frozen=True, slots=True)
class Tried:
    """Every answer that was scored, and the run as a whole."""

    answers: tuple[Answer, ...]
    scored: Scored

    @property
    def means(self) -> dict[str, float | None]:
        """The mean score of each kind of answers; None where none has a score."""
        return {what: mean_of(self.answers, what) for what in (REFERENCE, OTHER, EMPTY)}

    @property
    def refusal(self) -> str:
        """Why it is of no use, in plain words; empty when it can score."""
        faults = self.scored.faults
        if self.scored.fault:
            return f"it failed: {self.scored.fault}"
        if not self.answers:
            return "there was no row to try it on"
        if not self.scored.scores:
            return f"it failed on every answer: {faults[0].fault}"
        if self.has_one_score and self.means[REFERENCE] is not None:
            return f"it gives every answer the same score ({self.scored.scores[0]:g}), so it tells nothing"
        return ""

    @property
    def has_one_score(self) -> bool:
        """Whether every answer has the same score."""
        return len(set(self.scored.scores)) == 1 and not self.scored.faults

    @property
    def warnings(self) -> list[str]:
        """What to know before its scores are relied on."""
        found, faults = [TOGETHER] if self.scored.together else [], self.scored.faults
        if faults:
            found.append(
                f"The evaluator failed on {len(faults)} of {len(self.answers)} answers it was tried on: "
                f"{faults[0].fault}."
            )
        own, other = self.means[REFERENCE], self.means[OTHER]
        if own is None and self.has_one_score:
            found.append(
                "The data has no answers to try the evaluator on; other rows' prompts and an empty answer "
                f"have the same score ({self.scored.scores[0]:g})."
            )
        if own is not None and other is not None and own <= other:
            found.append(
                f"The evaluator scores the dataset's own answers {own:.2f} and answers to other rows "
                f"{other:.2f}: it may not look at what was asked."
            )
        elif own is not None and own < LOW:
            found.append(f"The evaluator scores the dataset's own answers only {own:.2f} on average.")
        return found

    def to_json(self) -> dict[str, Any]:
        samples = sum(each.what == EMPTY for each in self.answers)
        return {"means": self.means, "samples": samples, "weaker": self.scored.weaker}


def mean_of(answers: Sequence[Answer], what: str) -> float | None:
    """The mean score of one kind of answers; None where none has a score."""
    found = [each.result.score for each in answers if each.what == what and each.result.score is not None]
    return fmean(found) if found else None


def tried(evaluator: Evaluator, samples: Sequence[Sample], score: Score) -> Tried:
    """Score the dataset's own answer, another row's and none, for every sample. Where the data has prompts
    alone, what another row asks stands for its answer."""
    given: list[tuple[str, Sample, str]] = []
    said = [each.answer or text_of(each.prompt[-1].get("content")) for each in samples]
    for at, sample in enumerate(samples):
        other = next((each for each in [*said[at + 1 :], *said[:at]] if each != said[at]), None)
        if sample.answer:
            given.append((REFERENCE, sample, sample.answer))
        if other:
            given.append((OTHER, sample, other))
        given.append((EMPTY, sample, ""))
    scored = score(evaluator, [sample.answered(answer) for _, sample, answer in given])
    answers = tuple(Answer(*one, result) for one, result in zip(given, scored.rows, strict=True))
    return Tried(answers, scored)
