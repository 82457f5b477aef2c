"""Figures of single-label classification: what scikit-learn says, plus answers outside the label set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OUTSIDE = None  # what an answer that is no label is counted under


@dataclass(frozen=True, slots=True)
class LabelScores:
    """Precision, recall and F1 of one label, or a mean of them; 0 where a figure would divide by 0."""

    precision: float
    recall: float
    f1: float
    support: int  # rows that truly have the label

    @classmethod
    def of_counts(cls, hits: int, answered: int, support: int) -> LabelScores:
        """From how often the label was answered rightly, answered at all, and true."""
        return cls(ratio(hits, answered), ratio(hits, support), ratio(2 * hits, answered + support), support)

    @classmethod
    def mean(cls, scores: Sequence[LabelScores]) -> LabelScores:
        """The macro mean: each label counts alike."""
        return cls._mean(scores, [1] * len(scores))

    @classmethod
    def weighted(cls, scores: Sequence[LabelScores]) -> LabelScores:
        """The mean in which each label counts by its support."""
        return cls._mean(scores, [each.support for each in scores])

    @classmethod
    def _mean(cls, scores: Sequence[LabelScores], weights: Sequence[int]) -> LabelScores:
        def mean(name: str) -> float:
            values = (getattr(each, name) * weight for each, weight in zip(scores, weights, strict=True))
            return ratio(sum(values), sum(weights))

        return cls(mean("precision"), mean("recall"), mean("f1"), sum(each.support for each in scores))


@dataclass(frozen=True, slots=True)
class Classification:
    """All figures of one subject. `matrix[i][j]` counts rows of label i answered as label j; the last column
    counts answers outside the set."""

    labels: tuple[str, ...]
    rows: int
    right: int
    outside: int
    by_label: Mapping[str, LabelScores]
    macro: LabelScores
    weighted: LabelScores
    matrix: tuple[tuple[int, ...], ...]

    @property
    def accuracy(self) -> float:
        """The share of rows answered rightly; an answer outside the set is wrong."""
        return ratio(self.right, self.rows)


def classify(
    truths: Sequence[str], answers: Sequence[str | None], labels: Sequence[str] = ()
) -> Classification:
    """Figures of `answers` (rows,) against `truths` (rows,). What is no label is None or other text.

    `labels` sets what counts and in which order: by default the true labels, sorted. Means are over those
    that are true or answered in some row, as scikit-learn's are; figures without a denominator are 0
    (`zero_division=0`). Raises ValueError when the lengths differ, when a label comes twice, or for a true
    label outside the set."""
    named = label_set(frozenset(truths), labels, len(truths), len(answers))
    known = frozenset(named)
    pairs = Counter(
        (true, answer if answer in known else OUTSIDE) for true, answer in zip(truths, answers, strict=True)
    )
    matrix = tuple(tuple(pairs[true, answer] for answer in (*named, OUTSIDE)) for true in named)
    columns = (sum(column) for column in zip(*matrix, strict=True))
    answered = dict(zip((*named, OUTSIDE), columns, strict=False))  # no columns without labels
    by_label = {
        label: LabelScores.of_counts(pairs[label, label], answered[label], sum(line))
        for label, line in zip(named, matrix, strict=True)
    }
    shown = seen(by_label, answered)
    return Classification(
        labels=named,
        rows=len(truths),
        right=sum(pairs[label, label] for label in named),
        outside=answered.get(OUTSIDE, 0),
        by_label=by_label,
        macro=LabelScores.mean(shown),
        weighted=LabelScores.weighted(shown),
        matrix=matrix,
    )


def ratio(part: float, whole: float) -> float:
    """part / whole, and 0 of nothing."""
    return part / whole if whole else 0.0


def label_set(true: frozenset[str], labels: Sequence[str], rows: int, answers: int) -> tuple[str, ...]:
    """The labels that count: those named, else the true ones. Raises ValueError as `classify` does."""
    if rows != answers:
        raise ValueError(f"{answers} answers do not match {rows} rows: pair them first")
    if twice := [label for label, count in Counter(labels).items() if count > 1]:
        raise ValueError(f"the label {twice[0]} is in the set twice: name each label once")
    named = tuple(labels) or tuple(sorted(true))
    if unknown := true - set(named):
        raise ValueError(f"the true label {min(unknown)} is not in the set: add it, or leave its rows out")
    return named


def seen(by_label: Mapping[str, LabelScores], answered: Mapping[Any, int]) -> list[LabelScores]:
    """The scores of labels that are true or answered in some row; the others say nothing."""
    return [scores for label, scores in by_label.items() if scores.support or answered.get(label)]
