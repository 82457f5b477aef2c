"""Figures of multi-label classification: what scikit-learn says, plus answers outside the label set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.metrics.classification import LabelScores, label_set, ratio, seen

NOTHING = ""  # in a swap: no label is missing, or none came in its place
OUTSIDE = "\N{REPLACEMENT CHARACTER}"  # stands for whatever is said outside the set: no label contains it


@dataclass(frozen=True, slots=True)
class Cells:
    """The rows of one label in four parts: true and said, said alone, true alone, neither. The 2 x 2 matrix
    of scikit-learn's `multilabel_confusion_matrix` is [[neither, added], [missing, hits]]."""

    hits: int
    added: int
    missing: int
    neither: int


@dataclass(frozen=True, slots=True)
class Swap:
    """Rows in which one label is missing and another one was added, either of them perhaps NOTHING."""

    missing: str
    added: str
    count: int


@dataclass(frozen=True, slots=True)
class MultiLabel:
    """All figures of one subject on rows with any number of labels each."""

    labels: tuple[str, ...]
    rows: int
    exact: int  # rows answered with their very labels
    outside: int  # rows answered with anything that is no label; never exact
    wrong_cells: int  # of rows x labels: said and not true, or true and not said
    by_label: Mapping[str, LabelScores]
    cells: Mapping[str, Cells]
    swaps: tuple[Swap, ...]  # the most frequent first
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
        cells={label: cells_of(hits[label], answered[label], support[label], len(true)) for label in named},
        swaps=swaps_of(zip(true, said, strict=True), named),
        macro=LabelScores.mean(seen(by_label, answered)),
        micro=LabelScores.of_counts(hits.total(), sum(map(len, said)), support.total()),
    )


def cells_of(hits: int, answered: int, support: int, rows: int) -> Cells:
    """The four parts of all rows, from how often a label was right, said at all, and true."""
    return Cells(hits, answered - hits, support - hits, rows - answered - support + hits)


def swaps_of(
    rows: Iterable[tuple[frozenset[str], frozenset[str]]], labels: Sequence[str]
) -> tuple[Swap, ...]:
    """What was missing and what was added in the same rows; of equals the pair whose labels come first."""
    found = Counter(pair for true, said in rows for pair in swapped(true, said, frozenset(labels)))
    places = {label: at for at, label in enumerate((*labels, OUTSIDE, NOTHING))}
    order = sorted(found.items(), key=lambda each: (-each[1], places[each[0][0]], places[each[0][1]]))
    return tuple(Swap(missing, added, count) for (missing, added), count in order)


def swapped(true: frozenset[str], said: frozenset[str], labels: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Each missing label of a row with each added one; none for a row that is right."""
    missing = true - said
    added = (said & labels) - true
    added |= {OUTSIDE} if said - labels else set()
    if missing or added:
        yield from ((one, other) for one in missing or {NOTHING} for other in added or {NOTHING})
