"""Which base models go on from the benchmark, and what is reserved for those that may not (row 3.5)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sessions.costs import Line
from sessions.specification import Entry, Origin, Specification
from workflows.phases.classification.lines import perhaps
from workflows.phases.classification.strongest import chosen, how_many


def of(*models: str, compare: bool | None = None) -> Specification:
    entries = {"base_models": Entry(models, Origin.FORM)}
    if compare is not None:
        entries["compare_base"] = Entry(compare, Origin.SAID)
    return Specification(entries)


@pytest.mark.parametrize(("count", "kept"), [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (8, 4)])
def test_the_better_half_goes_on_and_never_fewer_than_two(count: int, kept: int) -> None:
    models = tuple(f"m{at}" for at in range(count))
    assert how_many(of(*models)) == kept
    assert how_many(of(*models, compare=False)) == count


def test_the_strongest_stand_in_the_order_said() -> None:
    accuracy = {"a": 0.2, "b": 0.9, "c": 0.5, "d": 0.5}
    assert chosen(of("a", "b", "c", "d"), accuracy, list("abcd")) == ["b", "c"]
    assert chosen(of("d", "c", "b", "a"), accuracy, list("dcba")) == ["d", "b"]
    assert chosen(of("a", "b", "c", "d"), accuracy, list("acd")) == ["c", "d"]


def test_a_line_that_may_not_be_spent_ranges_from_nothing() -> None:
    line = Line("x", "X", "Training", "sweep", Decimal("0.70"), Decimal("1.00"), Decimal("1.30"), "so.")
    found = perhaps(line, 2, 4)
    assert (found.low, found.expected, found.high) == (Decimal(0), Decimal("0.5"), Decimal("1.30"))
    assert "2 strongest of 4" in found.how
    assert perhaps(line, 2, 2) == line
