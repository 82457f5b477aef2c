"""Which candidate is suggested where an evaluator scores: the highest mean, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import Any

from sessions.models import Candidate
from sessions.specification import short_name
from workflows.metrics.paired import Comparison, compare
from workflows.metrics.verdicts import NOISE, Verdict, verdicts

Scores = Mapping[int, float]  # by row of the prompt set
Rows = frozenset[int]
ENOUGH = 0.9  # of the rows that any candidate has a score of: with fewer, a mean is of other questions


@dataclass(frozen=True)
class Judged:
    """What is known when the sweep is over: the candidates that can win, the scores of every subject by its
    key, how many rows were asked, what the evaluator is called, and the session's seed. `failed` are the rows
    of each subject on which the evaluator failed, `cut` those whose answer it could not finish."""

    done: Sequence[Candidate]
    scores: Mapping[str, Scores]
    rows: int
    evaluator: str
    seed: int
    failed: Mapping[str, Rows] = field(default_factory=dict)
    cut: Mapping[str, Rows] = field(default_factory=dict)

    def of(self, candidate: Candidate) -> Scores:
        return self.scores.get(candidate.subject, {})

    def base(self, candidate: Candidate) -> Scores:
        """The scores of the candidate's base model as it is."""
        return self.scores.get(f"base:{candidate.base_model}", {})

    @cached_property
    def scorable(self) -> frozenset[int]:
        """The rows that any of the candidates has a score of."""
        return frozenset(row for each in self.done for row in self.of(each))

    @cached_property
    def shared(self) -> frozenset[int]:
        """The rows that all candidates with enough scores have one of: what they are ranked on."""
        full = [frozenset(self.of(each)) for each in self.done if not self.is_thin(each)]
        return frozenset.intersection(*full) if full else frozenset()

    def is_thin(self, candidate: Candidate) -> bool:
        """Whether it has too few scores to be ranked with the others."""
        return len(self.of(candidate)) < ENOUGH * len(self.scorable)

    def value(self, candidate: Candidate) -> float | None:
        """What it is ranked by: its mean on the shared rows, else on its own; None without a score."""
        scores = self.of(candidate)
        shared = [] if self.is_thin(candidate) else [scores[row] for row in sorted(self.shared)]
        return fmean(shared or scores.values()) if scores else None

    def severe(self, subjects: Sequence[str]) -> dict[str, float]:
        """The mean of each subject with 0 for the answers on which the evaluator failed, on the rows that one
        of them has a score of and none is without an answer; empty where it failed on none of these."""
        empty: Rows = frozenset()
        counted = {each: dict.fromkeys(self.failed.get(each, empty), 0.0) for each in subjects}
        scorable = frozenset(row for each in subjects for row in self.scores.get(each, {}))
        for each, values in counted.items():
            values.update(self.scores.get(each, {}))
        rows = sorted(scorable.intersection(*map(frozenset, counted.values())))
        if not any(row in self.failed.get(each, empty) for each in subjects for row in rows):
            return {}
        return {each: fmean(values[row] for row in rows) for each, values in counted.items()}

    @property
    def is_constant(self) -> bool:
        """Whether the evaluator tells no answer from any other."""
        return len({value for scores in self.scores.values() for value in scores.values()}) == 1


def proposal(judged: Judged) -> dict[str, Any]:
    """What the promotion gate shows. Candidates with too few scores are ranked below the others, those
    without any last; equal means by validation loss, then by number."""
    ranking = sorted(judged.done, key=lambda each: rank(judged, each))
    best, found = ranking[0], against(judged, ranking)
    return {
        "suggested": best.number,
        "metric": "score",
        "rule": rule(judged),
        "certainty": certainty(judged, ranking, found),
        **against_base(judged, best),
        "ranking": [{"number": each.number, "value": judged.value(each)} for each in ranking],
        "verdicts": [{"number": number, "word": each.word} for number, each in found.items()],
    }


def rule(judged: Judged) -> str:
    """What the ranking goes by, and on which rows."""
    if judged.is_constant:
        return "Lowest validation loss, since the evaluator gave every answer the same score."
    words = f"Highest mean score by the evaluator ({judged.evaluator}) on the "
    if len(judged.shared) in (0, judged.rows):
        return f"{words}{judged.rows:,} held-out rows."
    rows = f"{len(judged.shared):,} of {judged.rows:,} held-out rows"
    return f"{words}{rows} that the compared candidates all have a score of."


def rank(judged: Judged, candidate: Candidate) -> tuple[bool, bool, float, float, int]:
    value, loss = judged.value(candidate), candidate.validation_loss
    worst = float("inf") if loss is None else loss
    return value is None, judged.is_thin(candidate), -(value or 0.0), worst, candidate.number


def against(judged: Judged, ranking: Sequence[Candidate]) -> dict[int, Verdict]:
    """The first of the ranking against each of the others, by number, corrected for their count."""
    best, *others = ranking
    paired = {
        other.number: found
        for other in others
        if (found := comparison(best.label, other.label, judged.of(best), judged.of(other), judged.seed))
    }
    return dict(zip(paired, verdicts(list(paired.values())), strict=True))


def comparison(first: str, second: str, ours: Scores, theirs: Scores, seed: int) -> Comparison | None:
    """Both on the rows that both have a score of; None where there are none."""
    rows = sorted(ours.keys() & theirs.keys())
    if not rows:
        return None
    return compare(first, second, [ours[row] for row in rows], [theirs[row] for row in rows], seed=seed)


def certainty(judged: Judged, ranking: Sequence[Candidate], found: Mapping[int, Verdict]) -> str:
    """How clear the lead over the second is, in words."""
    best = ranking[0]
    if not judged.of(best):
        return (
            "No answer has a score, so nothing speaks for any of them; validation loss puts this one first."
        )
    if judged.is_constant:
        return (
            "The evaluator gave every answer the same score, so it does not tell the candidates apart. One "
            "that gives credit for part of an answer may."
        )
    if len(ranking) == 1:
        return "There is no other candidate to compare with." + unfinished(judged, ranking)
    second = ranking[1].number
    words = found[second].sentence if second in found else f"Candidate {second} has no score to compare with."
    others = [str(number) for number, each in found.items() if each.word == NOISE and number != second]
    more = f" Within noise of it as well: candidate {', '.join(others)}." if others else ""
    return words + more + thin(judged, ranking) + failing(judged, ranking) + unfinished(judged, ranking)


def failing(judged: Judged, ranking: Sequence[Candidate]) -> str:
    """What the ranking would be if the answers on which the evaluator failed counted as 0, in words: such
    rows are left out for all, so who fails on the hard ones would gain by it."""
    ranked = [each for each in ranking if judged.of(each) and not judged.is_thin(each)]
    means = judged.severe([each.subject for each in ranked])
    if len(ranked) < 2 or not means:
        return ""
    again = sorted(ranked, key=lambda each: -means[each.subject])
    told = ", ".join(f"{each.label} {means[each.subject]:.3f}" for each in again)
    change = "the order stays" if again == ranked else "the order changes"
    return f" With 0 for the answers on which the evaluator failed {change}: {told}."


def unfinished(judged: Judged, ranking: Sequence[Candidate]) -> str:
    """Whose answers were cut at the most tokens, in words."""
    counts = [(each, len(judged.cut.get(each.subject, ())), judged.rows) for each in ranking]
    told = [f"{cut:,} of {rows:,} answers of {each.label}" for each, cut, rows in counts if cut]
    return f" Cut at the most tokens, so their scores may read low: {', '.join(told)}." if told else ""


def thin(judged: Judged, ranking: Sequence[Candidate]) -> str:
    """Why some rank below the others whatever their mean, in words."""
    return "".join(
        f" {each.label} has a score on {len(judged.of(each)):,} of {len(judged.scorable):,} rows only, "
        "too few to be ranked with the others."
        for each in ranking
        if judged.of(each) and judged.is_thin(each)
    )


def against_base(judged: Judged, candidate: Candidate) -> dict[str, Any]:
    """Whether tuning helped: the candidate against its base model as it is, on the same rows."""
    base = f"{short_name(candidate.base_model)} untuned"
    found = comparison(candidate.label, base, judged.of(candidate), judged.base(candidate), judged.seed)
    if found is None:
        return {"against_base": "", "base_is_better": False}
    (verdict,) = verdicts([found])
    means = judged.severe([candidate.subject, f"base:{candidate.base_model}"])
    ours, theirs = means.values() if means else (0.0, 0.0)
    failed = f" With 0 for the answers on which the evaluator failed: {ours:.3f} against {theirs:.3f}."
    return {
        "against_base": verdict.sentence + (failed if means else ""),
        "base_is_better": verdict.better == base,
    }
