"""Labels and their changes as text: whatever signs they hold, they come back as they were."""

from __future__ import annotations

import pytest

from sessions.forms import text_of
from sessions.specification.fields import FIELDS, Context
from sessions.specification.quoting import change, doubled, quote, sides, unquote

ODD = ("billing", "Card; Lost", "a, b", "a -> b", 'say "hi"', '"', "“x” and ”y“", "drop me", "don't")


@pytest.mark.parametrize("label", ODD)
def test_a_label_is_read_back_from_its_quotation(label: str) -> None:
    assert unquote(quote(label)) == label
    assert unquote(f"“{doubled(label)}”") == label


@pytest.mark.parametrize("old", ODD)
@pytest.mark.parametrize("new", ["", *ODD])
def test_a_change_is_read_back(old: str, new: str) -> None:
    assert sides(change(old, new)) == (old, new)


def test_lists_are_read_back_from_the_boxes_of_the_form() -> None:
    changes = tuple(change(old, new) for old, new in zip(ODD, reversed(ODD), strict=True))
    for name, values in (("labels", ODD), ("label_changes", changes)):
        assert FIELDS[name].parse(text_of(name, values), Context()) == values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('drop "Card; Lost"', ("Card; Lost", "")),
        ("“a b” → c", ("a b", "c")),
        ("a => b -> c", ("a", "b -> c")),
        ("a", ("", "")),
    ],
)
def test_changes_as_people_write_them(text: str, found: tuple[str, str]) -> None:
    assert sides(text) == found
