"""Numbers in addresses and forms."""

import pytest

from sessions.numbers import row_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("12", 12), ("999999999", 999_999_999)])
def test_digits_are_a_number(text: str, number: int) -> None:
    assert row_number(text) == number


@pytest.mark.parametrize("text", [None, "", "-1", "1.5", "²", "x", "1" * 10, "9" * 5000])
def test_anything_else_is_none(text: str | None) -> None:
    assert row_number(text) is None
