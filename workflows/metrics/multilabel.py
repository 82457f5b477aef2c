"""Figures of multi-label classification: what scikit-learn says, plus answers outside the label set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from workflows.metrics.classification import LabelScores, label_set, ratio, seen


@dataclass(frozen=True, slots=True)
class MultiLabel:
    """All figures of one subject on rows with any number of labels each."""

    labels: tuple[str, ...]
    rows: int
    exact: int  # rows answered with their very labels
    outside: int  # rows answered with anything that is no label; never exact
    wrong_cells: int  # of rows x labels: said and not true, or true and not said
    by_label: Mapping[str, LabelScores]
    macro: LabelScores
    micro: LabelScores

    @property
    def exact_match(self) -> float:
        """The share of rows answered with their very labels."""
        return ratio(self.exact, self.rows)

    @property
    def hamming_loss(self) -> float:
        """The share of wrong cells of rows x labels; labels outside the set are no cells."""
        return ratio(self.wrong_cells, self.rows * len(self.labels))


def classify(
    truths: Sequence[Collection[str]],
    answers: Sequence[Collection[str]],
    labels: Sequence[str] = (),
) -> MultiLabel:
    """Figures of `answers` (rows,) against `truths` (rows,), each row a collection of labels.

    What cannot be read as labels is passed as any one text outside the set: an empty answer says that no
    label holds, and is exact where none does. What is said outside the set is wrong, so it lowers micro
    precision, and has no figures of its own. `labels`, means and refusals are those of single labels."""
    true = [frozenset(each) for each in truths]
    said = [frozenset(each) for each in answers]
    named = label_set(frozenset().union(*true), labels, len(true), len(said))
    known = frozenset(named)
    support = Counter(label for row in true for label in row)
    answered = Counter(label for row in said for label in row & known)
    hits = Counter(label for row, other in zip(true, said, strict=True) for label in row & other)
    by_label = {label: LabelScores.of_counts(hits[label], answered[label], support[label]) for label in named}
    return MultiLabel(
        labels=named,
        rows=len(true),
        exact=sum(row == other for row, other in zip(true, said, strict=True)),
        outside=sum(not other <= known for other in said),
        wrong_cells=sum(len((row ^ other) & known) for row, other in zip(true, said, strict=True)),
        by_label=by_label,
        macro=LabelScores.mean(seen(by_label, answered)),
        micro=LabelScores.of_counts(hits.total(), sum(map(len, said)), support.total()),
    )
