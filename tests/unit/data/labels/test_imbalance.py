"""The ratio of labels, and what the remedies do to the training rows."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.unit.data.labels.rows import labelled
from workflows.data import imbalance

UNEVEN = labelled(*["a"] * 600, *["b"] * 60, *["c"] * 6)


def test_the_ratio_is_of_the_labels_that_there_are() -> None:
    assert imbalance.ratio(Counter(a=100, b=2, c=0)) == 50.0
    assert imbalance.ratio(Counter(a=100)) == 1.0
    assert imbalance.ratio(Counter()) == 1.0


@pytest.mark.parametrize(
    ("remedy", "counts", "ratio"),
    [
        ("repeat", {"a": 600, "b": 60, "c": 60}, 10.0),
        ("cap", {"a": 60, "b": 60, "c": 6}, 10.0),
        ("", {"a": 600, "b": 60, "c": 6}, 100.0),
    ],
)
def test_what_a_remedy_does_to_the_file(remedy: str, counts: dict[str, int], ratio: float) -> None:
    made = imbalance.balanced(UNEVEN, remedy)
    rows = zip(UNEVEN, made.copies, strict=True)
    assert Counter(label for row, times in rows for label in row.labels * times) == counts
    assert imbalance.ratio_after(UNEVEN, made) == ratio
    assert made.weights is None


def test_weights_make_labels_weigh_alike_within_bounds() -> None:
    rows = labelled(*["a"] * 60, *["b"] * 30)
    made = imbalance.balanced(rows, "weight")
    assert made.weights is not None
    assert sum(made.weights) / 90 == pytest.approx(1.0)
    assert imbalance.ratio_after(rows, made) == pytest.approx(1.0)
    steep = imbalance.balanced(UNEVEN, "weight").weights
    assert steep is not None
    assert max(steep) == imbalance.HEAVIEST


def test_a_row_is_repeated_twenty_times_at_the_most() -> None:
    rows = labelled(*["a"] * 5000, "b")
    assert max(imbalance.balanced(rows, "repeat").copies) == imbalance.MOST_COPIES


def test_rare_labels_by_the_threshold() -> None:
    counts = Counter(a=600, b=60, c=6, d=0)
    assert imbalance.rare(counts, 50) == ["c"]
    assert imbalance.rare(counts, 5) == ["c", "b"]
    assert imbalance.without_rare(counts, 50, merge=False) == {"c": ""}
    assert imbalance.without_rare(counts, 5, merge=True) == {"c": "other", "b": "other"}
