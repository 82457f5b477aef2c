"""The API's `Money` {currencyCode, units (string), nanos (int)} and `Decimal`, without loss.

Source: facts sheet 1.3. Whole units travel as a string, billionths as an int of the same sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

NANO = Decimal(10) ** -9


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in a currency; `amount` in whole units (dollars)."""

    amount: Decimal
    currency: str = "USD"

    @classmethod
    def from_api(cls, raw: Any) -> Money | None:
        """Read the API's form; None when absent or not a Money. An empty Money (proto zero) is 0."""
        if not isinstance(raw, Mapping):
            return None
        try:
            units, nanos = Decimal(str(raw.get("units") or 0)), Decimal(str(raw.get("nanos") or 0))
        except InvalidOperation:
            return None
        if not (units.is_finite() and nanos.is_finite()):
            return None
        return cls(units + nanos * NANO, str(raw.get("currencyCode") or "USD"))

    def to_api(self) -> dict[str, Any]:
        """The API's form. Raises ValueError for amounts finer than a billionth."""
        units = int(self.amount)
        nanos = (self.amount - units) / NANO
        if nanos != int(nanos):
            raise ValueError(f"{self.amount} is finer than a billionth of {self.currency}")
        return {"currencyCode": self.currency, "units": str(units), "nanos": int(nanos)}

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"
