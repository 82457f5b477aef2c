"""Amounts as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sessions.costs import about, money, money_range


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.36", "$0.36"),
        ("0.355", "$0.36"),
        ("0.01", "$0.01"),
        ("0.009999", "under $0.01"),
        ("0", "$0"),
        ("8", "$8.00"),
        ("1234.5", "$1,234.50"),
        ("-2.5", "-$2.50"),
        (None, "not calculated"),
    ],
)
def test_money(amount: str | None, text: str) -> None:
    assert money(None if amount is None else Decimal(amount)) == text


def test_estimates_say_about_unless_that_adds_nothing() -> None:
    assert about(Decimal("0.36")) == "about $0.36"
    assert about(Decimal("0.001")) == "under $0.01"
    assert about(None) == "not calculated"


def test_a_range_that_looks_like_one_amount_is_shown_as_one() -> None:
    assert money_range(Decimal("0.25"), Decimal("0.47")) == "$0.25 to $0.47"
    assert money_range(Decimal(8), Decimal("8.001")) == "$8.00"
