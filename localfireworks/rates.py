"""Prices in USD, dated (fireworks-api.md, 9), and the Money form of the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

AS_OF = "2026-10-08"
# (largest total parameter count, or None; LoRA SFT; LoRA DPO) per million training tokens.
TRAINING: tuple[tuple[int | None, Decimal, Decimal], ...] = (
    (16_000_000_000, Decimal("0.50"), Decimal("1.00")),
    (80_000_000_000, Decimal("3.00"), Decimal("6.00")),
    (300_000_000_000, Decimal("6.00"), Decimal("12.00")),
    (None, Decimal("10.00"), Decimal("20.00")),
)
MILLION = Decimal(1_000_000)
# The stand-ins' vocabulary of 2,048 splits text finer than the real models' (measured on text2sql, gsm8k and
# banking77: 1.2 to 1.5 times as many tokens). Bills divide by this, so that a rehearsal shows what the same
# data would cost; token counts are never changed.
FINER = Decimal("1.35")
NANO = Decimal("0.000000001")


def training_rate(parameters: int, method: str = "sft") -> Decimal:
    """USD per million training tokens for LoRA, `method` sft or dpo."""
    for largest, sft, dpo in TRAINING:
        if largest is None or parameters <= largest:
            return dpo if method == "dpo" else sft
    raise AssertionError("the last band has no upper end")


def training_cost(tokens: int, parameters: int, method: str = "sft") -> Decimal:
    """USD for stand-in `tokens` trained, at the price of the model that the stand-in plays."""
    return tokens / FINER * training_rate(parameters, method) / MILLION


def money(amount: Decimal) -> dict[str, Any]:
    """`{currencyCode, units, nanos}`: whole dollars as text, the rest in billionths."""
    exact = amount.quantize(NANO)
    units = int(exact)
    return {"currencyCode": "USD", "units": str(units), "nanos": int((exact - units) / NANO)}
