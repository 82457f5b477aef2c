"""The dated table of rates. An unknown rate is None, which means "not calculated": nothing is guessed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

PACKAGED = Path(__file__).parent.parent / "rates"
METHODS = ("lora_sft", "lora_dpo", "full_sft", "full_dpo")


class RatesError(ValueError):
    """The rates file cannot be used: names the file, the place and what to do."""


@dataclass(frozen=True)
class Band:
    """Training prices in USD per 1M tokens, for models of up to so many parameters (None: no limit)."""

    up_to_parameters: int | None
    prices: Mapping[str, Decimal]


@dataclass(frozen=True)
class GpuHour:
    """USD per hour of one accelerator, valid between two days, both included (None: open).

    The table names the chip (`H200`), since the API's names carry more (`NVIDIA_H200_141GB`) and change.
    """

    accelerator: str
    first: dt.date | None
    last: dt.date | None
    usd: Decimal

    def covers(self, accelerator: str, day: dt.date) -> bool:
        after = self.first is None or self.first <= day
        before = self.last is None or day <= self.last
        return self.accelerator in accelerator.upper().split("_") and after and before


@dataclass(frozen=True)
class TokenPrice:
    """USD per 1M tokens of serverless inference."""

    input: Decimal
    cached_input: Decimal
    output: Decimal


@dataclass(frozen=True)
class TokenBand:
    """Serverless price of a model without one of its own: of up to so many parameters (None: no limit), as a
    mixture of experts or not."""

    up_to_parameters: int | None
    mixture: bool
    price: TokenPrice


@dataclass(frozen=True)
class Rates:
    """One table of rates, with its date and a source line for each group."""

    date: dt.date
    sources: Mapping[str, str]
    bands: tuple[Band, ...]
    gpu_hours: tuple[GpuHour, ...]
    token_prices: Mapping[str, TokenPrice]
    token_bands: tuple[TokenBand, ...] = ()
    batch_factor: Decimal | None = None  # of the serverless price; None where the table has none

    @classmethod
    def load(cls, path: Path | str | None = None) -> Rates:
        """Read a table; without a path, the newest one that is shipped. Raises `RatesError`."""
        chosen = Path(path) if path else max(PACKAGED.glob("*.json"))
        try:
            return _read(json.loads(chosen.read_text(encoding="utf-8")))
        except OSError as error:
            raise RatesError(
                f"Rates file {chosen.name} cannot be read ({error.strerror}). Check its path."
            ) from None
        except (KeyError, TypeError, AttributeError) as error:
            raise RatesError(
                f"Rates file {chosen.name} lacks {error}. Compare it with the shipped one."
            ) from None
        except (InvalidOperation, ValueError) as error:
            raise RatesError(f"Rates file {chosen.name} has a bad value: {error}. Correct it.") from None

    def training(self, method: str, parameters: int | None) -> Decimal | None:
        """USD per 1M training tokens for a base model of so many parameters (all of a mixture counted)."""
        if parameters is None or parameters <= 0:
            return None
        for band in self.bands:
            if band.up_to_parameters is None or parameters <= band.up_to_parameters:
                return band.prices.get(method)
        return None

    def gpu_hour(self, accelerator: str, day: dt.date) -> Decimal | None:
        """USD per hour of one accelerator on a day, by the API's name of it."""
        return next((rate.usd for rate in self.gpu_hours if rate.covers(accelerator, day)), None)

    def serverless(
        self, model: str, parameters: int | None = None, *, mixture: bool = False
    ) -> TokenPrice | None:
        """Serverless price of a model by its full name, else by its size (all of a mixture counted)."""
        named = self.token_prices.get(model)
        if named or not parameters or parameters <= 0:
            return named
        for band in self.token_bands:
            fits = band.up_to_parameters is None or parameters <= band.up_to_parameters
            if band.mixture == mixture and fits:
                return band.price
        return None

    def source(self, group: str) -> str:
        """One line that says where a group's rates come from."""
        return self.sources.get(group, f"rates table of {self.date.isoformat()}")


def _amount(value: Any) -> Decimal:
    if not isinstance(value, str):
        raise ValueError(f'{value!r} (amounts are written as strings, for example "0.50")')
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not an amount") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{value!r} is not an amount")
    return amount


def _day(value: str | None) -> dt.date | None:
    return None if value is None else dt.date.fromisoformat(value)


def _band(row: Mapping[str, Any]) -> Band:
    limit = row["up_to_parameters"]
    prices = {method: _amount(row[method]) for method in METHODS if method in row}
    return Band(None if limit is None else int(limit), prices)


def _price(row: Mapping[str, Any]) -> TokenPrice:
    return TokenPrice(_amount(row["input"]), _amount(row["cached_input"]), _amount(row["output"]))


def _token_band(row: Mapping[str, Any]) -> TokenBand:
    limit = row["up_to_parameters"]
    return TokenBand(None if limit is None else int(limit), bool(row["mixture"]), _price(row))


def _read(data: Mapping[str, Any]) -> Rates:
    bands = sorted(
        map(_band, data["training_per_million_tokens"]), key=lambda b: b.up_to_parameters or 10**18
    )
    hours = (
        GpuHour(row["accelerator"], _day(row["from"]), _day(row["until"]), _amount(row["usd"]))
        for row in data["gpu_hour"]
    )
    token_bands = sorted(
        map(_token_band, data.get("serverless_by_size", ())), key=lambda b: b.up_to_parameters or 10**18
    )
    return Rates(
        dt.date.fromisoformat(data["date"]),
        dict(data["sources"]),
        tuple(bands),
        tuple(hours),
        {model: _price(row) for model, row in data["serverless_per_million_tokens"].items()},
        tuple(token_bands),
        _amount(data["batch_factor"]) if "batch_factor" in data else None,
    )
