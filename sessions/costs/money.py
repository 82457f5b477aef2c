"""Amounts in USD as text. Money is Decimal everywhere; rounding happens here and nowhere else."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, ROUND_UP, Decimal

CENT = Decimal("0.01")


def money(amount: Decimal | None) -> str:
    """`$0.36`, `$1,234.50`, `$0`, `under $0.01`; an amount that is not known is `not calculated`."""
    if amount is None:
        return "not calculated"
    if amount < 0:
        return f"-{money(-amount)}"
    if amount == 0:
        return "$0"
    if amount < CENT:
        return "under $0.01"
    return f"${amount.quantize(CENT, ROUND_HALF_UP):,}"


def money_exact(amount: Decimal) -> str:
    """A small amount to the hundredth of a cent: `$0.0013`."""
    return f"${amount.quantize(CENT / 100, ROUND_UP)}"


def about(amount: Decimal | None) -> str:
    """An estimate: `about $0.36`. Zero, tiny and unknown amounts need no `about`."""
    return money(amount) if amount is None or amount < CENT else f"about {money(amount)}"


def money_range(low: Decimal | None, high: Decimal | None) -> str:
    """`$0.25 to $0.47`, or one amount where both look the same."""
    first, last = money(low), money(high)
    return first if first == last else f"{first} to {last}"
