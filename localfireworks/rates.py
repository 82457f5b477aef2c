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
# USD per GPU-hour of an on-demand deployment, from the day named on; GPUs without a price are not billed.
PRICE_CHANGE = 1_788_220_800.0  # 2026-09-01
GPU_HOURS: dict[str, tuple[Decimal, Decimal]] = {
    "NVIDIA_A100_80GB": (Decimal("2.90"), Decimal("2.90")),
    "NVIDIA_H100_80GB": (Decimal(7), Decimal(8)),
    "NVIDIA_H200_141GB": (Decimal(7), Decimal(8)),
    "NVIDIA_B200_180GB": (Decimal(10), Decimal(13)),
    "NVIDIA_B300_288GB": (Decimal(12), Decimal(15)),
}
HOUR = 3600
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


def serverless_cost(price: tuple[str, str, str], prompt: int, cached: int, completion: int) -> Decimal:
    """USD for stand-in tokens of serverless inference; `cached` is a part of `prompt`."""
    into, from_cache, out = (Decimal(each) for each in price)
    return ((prompt - cached) * into + cached * from_cache + completion * out) / FINER / MILLION


def gpu_cost(kind: str, accelerator_seconds: Decimal, at: float) -> Decimal:
    """USD for so many seconds of one GPU, at the price of the moment `at`."""
    before, since = GPU_HOURS.get(kind, (Decimal(0), Decimal(0)))
    return accelerator_seconds * (since if at >= PRICE_CHANGE else before) / HOUR


def amount_of(given: dict[str, Any]) -> Decimal:
    """Money as the API writes it, exactly."""
    return Decimal(given["units"]) + Decimal(given["nanos"]) * NANO


def money(amount: Decimal) -> dict[str, Any]:
    """`{currencyCode, units, nanos}`: whole dollars as text, the rest in billionths."""
    exact = amount.quantize(NANO)
    units = int(exact)
    return {"currencyCode": "USD", "units": str(units), "nanos": int((exact - units) / NANO)}
