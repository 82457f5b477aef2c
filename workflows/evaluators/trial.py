"""A written evaluator tried on real samples, in isolation: good answers must score high and bad ones low."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from workflows.evaluators.isolation import Evaluator
from workflows.evaluators.kinds import Kind, Settings
from workflows.evaluators.results import RowScore, Scored
from workflows.evaluators.samples import Sample
from workflows.evaluators.writing import code, module_of

HIGH, GAP = 0.9, 0.3
REFERENCE, OTHER, SPOILED, EMPTY = "reference", "other row's", "spoiled", "empty"
Score = Callable[[Evaluator, Iterable[Mapping[str, Any]]], Scored]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that was scored: of which kind, to which sample, and what came of it."""

    what: str
    sample: Sample
    text: str
    result: RowScore


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule was worth on the samples. `refusal` says why it is of no use; empty when it is."""

    kind: Kind
    settings: Settings
    code: str
    answers: tuple[Answer, ...]
    scored: Scored
    refusal: str = ""

    def mean(self, what: str) -> float | None:
        """The mean score of one kind of answers; None where there are none."""
        found = [
            each.result.score for each in self.answers if each.what == what and each.result.score is not None
        ]
        return fmean(found) if found else None

    def to_json(self) -> dict[str, Any]:
        means = {what: self.mean(what) for what in (REFERENCE, OTHER, SPOILED, EMPTY)}
        return {"kind": self.kind.name, "label": self.kind.label, "means": means, "refusal": self.refusal}


def spoiled(kind: Kind, settings: Settings, answer: str) -> str:
    """The same answer made wrong: also without the facts that the sentence itself names."""
    text = str(module_of(kind).spoil(answer))
    for fact in settings.get("FACTS") or ():
        text = re.sub(re.escape(fact), "something", text, flags=re.IGNORECASE)
    return text


def answers_for(kind: Kind, settings: Settings, samples: list[Sample]) -> list[tuple[str, Sample, str]]:
    """Four answers to every sample: the reference, another row's, a spoiled one, and none."""
    found = []
    for at, sample in enumerate(samples):
        others = samples[at + 1 :] + samples[:at]
        other = next((each for each in others if each.expected != sample.expected), None)
        found.append((REFERENCE, sample, sample.answer))
        if other:
            found.append((OTHER, sample, other.answer))
        found += [(SPOILED, sample, spoiled(kind, settings, sample.answer)), (EMPTY, sample, "")]
    return found


def tried(kind: Kind, settings: Settings, criterion: str, samples: list[Sample], score: Score) -> Trial:
    """Write the evaluator and run it on the samples, apart."""
    text = code(kind, settings, criterion)
    given = answers_for(kind, settings, samples)
    with tempfile.TemporaryDirectory(prefix="authored-") as name:
        (Path(name) / "evaluator.py").write_text(text, encoding="utf-8")
        scored = score(Evaluator(Path(name)), [sample.answered(answer) for _, sample, answer in given])
    answers = tuple(Answer(*one, result) for one, result in zip(given, scored.rows, strict=True))
    trial = Trial(kind, settings, text, answers, scored)
    return Trial(kind, settings, text, answers, scored, refusal(trial))


def refusal(trial: Trial) -> str:
    """Why the evaluator is of no use, in plain words; empty when it tells good from bad."""
    faults = trial.scored.faults
    if trial.scored.fault or faults:
        return f"it failed on real samples: {trial.scored.fault or faults[0].fault}"
    scores = set(trial.scored.scores)
    if len(scores) == 1:
        return f"it gives every sample the same score ({scores.pop():g}), so it is useless"
    high = trial.mean(REFERENCE)
    if high is None or high < HIGH:
        return f"the dataset's own answers score {high or 0:.2f} on average, and should score at least {HIGH}"
    for what in (OTHER, SPOILED, EMPTY):
        low = trial.mean(what)
        if low is not None and low > high - GAP and not excused(trial, what):
            return f"{NAMES[what]} score {low:.2f} on average, nearly as much as the right ones ({high:.2f})"
    return ""


def excused(trial: Trial, what: str) -> bool:
    """Where what is asked for is the same in every row, another row's answer is right too."""
    same_everywhere = trial.settings.get("FACTS") or trial.settings.get("COMPARE_VALUES") is False
    return what == OTHER and bool(same_everywhere)


NAMES = {OTHER: "answers of other rows", SPOILED: "spoiled answers", EMPTY: "empty answers"}
