"""A part of the rows in which every label keeps its share."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.labels.rows import labelled
from workflows.data.labels import Labelled
from workflows.data.stratify import draw

LABELS = st.sets(st.sampled_from("abcdef"), min_size=1, max_size=3).map(lambda each: tuple(sorted(each)))


def counts(rows: list[Labelled], taken: list[bool], side: bool) -> Counter[str]:
    return Counter(
        label for row, part in zip(rows, taken, strict=True) if part is side for label in row.labels
    )


def test_each_label_keeps_its_share() -> None:
    rows = labelled(*["a"] * 100, *["b"] * 50, *["c"] * 10)
    taken = draw(rows, 32)
    assert counts(rows, taken, True) == {"a": 20, "b": 10, "c": 2}


def test_rare_labels_are_on_both_sides() -> None:
    rows = labelled(*["a"] * 95, "b", "b", "c", "c", "d")
    taken = draw(rows, 20)
    assert counts(rows, taken, True).keys() == {"a", "b", "c"}
    assert counts(rows, taken, False).keys() == {"a", "b", "c", "d"}


@given(st.lists(LABELS, min_size=2, max_size=120), st.floats(0.1, 0.9))
def test_any_labels(several: list[tuple[str, ...]], share: float) -> None:
    rows = labelled(*several)
    wanted = max(1, min(len(rows) - 1, round(share * len(rows))))
    taken = draw(rows, wanted)
    assert taken == draw(rows, wanted)
    part = counts(rows, taken, True)
    for label, count in Counter(each for row in rows for each in row.labels).items():
        # A bound from the paper's greedy rule, wide enough for labels that always come together.
        assert abs(part[label] - count * wanted / len(rows)) <= max(6, 0.35 * count)


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=200), st.floats(0.1, 0.9))
def test_with_one_label_a_row_the_share_is_kept_to_a_row(labels: list[str], share: float) -> None:
    rows = labelled(*labels)
    wanted = max(1, min(len(rows) - 1, round(share * len(rows))))
    taken = draw(rows, wanted)
    for label, count in Counter(labels).items():
        part = counts(rows, taken, True)[label]
        assert abs(part - count * wanted / len(rows)) <= 1
        assert count < 2 or 0 < part < count


def test_what_the_rounding_of_many_labels_adds_up_to_is_taken_back() -> None:
    """77 labels of 16 rows: 12.99 of each would make 1,001 of 1,000."""
    rows = labelled(*(f"intent {label:02}" for label in range(77) for _ in range(16)))
    taken = draw(rows, 1000)
    assert sum(taken) == 1000
    assert sorted(Counter(counts(rows, taken, True).values()).items()) == [(12, 1), (13, 76)]


def test_equal_conversations_stay_together() -> None:
    rows = [replace(row, digest=bytes([at // 4])) for at, row in enumerate(labelled(*"ab" * 40))]
    taken = draw(rows, 16)
    assert all(len(set(taken[at : at + 4])) == 1 for at in range(0, 80, 4))


def test_a_part_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="5 of 2 rows"):
        draw(labelled("a", "b"), 5)
