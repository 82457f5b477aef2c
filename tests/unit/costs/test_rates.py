"""The dated table: bands by size, days for GPU hours, and no guesses."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sessions.costs import Rates, RatesError

RATES = Rates.load()
TODAY = dt.date(2026, 11, 20)


@pytest.mark.parametrize(
    ("parameters", "sft", "dpo", "full"),
    [
        (600_000_000, "0.50", "1.00", "1.00"),
        (16_000_000_000, "0.50", "1.00", "1.00"),
        (16_000_000_001, "3.00", "6.00", "6.00"),
        (80_000_000_000, "3.00", "6.00", "6.00"),
        (235_000_000_000, "6.00", "12.00", "12.00"),
        (1_030_000_000_000, "10.00", "20.00", "20.00"),
    ],
)
def test_training_bands(parameters: int, sft: str, dpo: str, full: str) -> None:
    assert RATES.training("lora_sft", parameters) == Decimal(sft)
    assert RATES.training("lora_dpo", parameters) == Decimal(dpo)
    assert RATES.training("full_sft", parameters) == Decimal(full)


@pytest.mark.parametrize(
    ("method", "parameters"), [("lora_sft", None), ("lora_sft", 0), ("rft", 8_000_000_000)]
)
def test_unknown_training_rates_are_not_guessed(method: str, parameters: int | None) -> None:
    assert RATES.training(method, parameters) is None


@pytest.mark.parametrize(
    ("accelerator", "day", "usd"),
    [
        ("NVIDIA_H200_141GB", dt.date(2026, 8, 31), "7.00"),
        ("NVIDIA_H200_141GB", dt.date(2026, 9, 1), "8.00"),
        ("NVIDIA_B300_288GB", TODAY, "15.00"),
        ("NVIDIA_GB300_288GB", TODAY, "20.00"),
        ("NVIDIA_A100_80GB", TODAY, None),
        ("AMD_MI300X_192GB", TODAY, None),
        ("", TODAY, None),
    ],
)
def test_gpu_hours_by_day(accelerator: str, day: dt.date, usd: str | None) -> None:
    assert RATES.gpu_hour(accelerator, day) == (None if usd is None else Decimal(usd))


def test_serverless_prices_only_of_listed_models() -> None:
    price = RATES.serverless("accounts/fireworks/models/gpt-oss-20b")
    assert price is not None
    assert (price.input, price.cached_input, price.output) == (
        Decimal("0.07"),
        Decimal("0.035"),
        Decimal("0.30"),
    )
    assert RATES.serverless("accounts/fireworks/models/qwen3-8b") is None


def test_every_group_says_where_it_comes_from() -> None:
    assert dt.date(2026, 10, 8) == RATES.date
    assert all("2026" in RATES.source(group) for group in ("training", "gpu_hour", "serverless", "other"))


def shipped() -> dict[str, Any]:
    path = Path(__file__).parents[3] / "sessions" / "rates" / "2026-10-08.json"
    data: dict[str, Any] = json.loads(path.read_text())
    return data


def test_a_table_of_ones_own_replaces_the_shipped_one(tmp_path: Path) -> None:
    data = shipped()
    data["date"] = "2027-01-01"
    data["training_per_million_tokens"].reverse()
    data["training_per_million_tokens"][-1]["lora_sft"] = "0.75"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(data))
    rates = Rates.load(path)
    assert rates.date == dt.date(2027, 1, 1)
    assert rates.training("lora_sft", 8_000_000_000) == Decimal("0.75")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("gpu_hour"), "lacks 'gpu_hour'"),
        (lambda d: d["gpu_hour"][0].update(usd=7.0), r"7.0 \(amounts are written as strings"),
        (lambda d: d["gpu_hour"][0].update(usd="-1"), "'-1' is not an amount"),
        (lambda d: d["gpu_hour"][0].update(usd="seven"), "'seven' is not an amount"),
        (lambda d: d.update(date="yesterday"), "yesterday"),
    ],
)
def test_a_bad_table_is_refused_with_its_fault(tmp_path: Path, change: Any, message: str) -> None:
    data = shipped()
    change(data)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(data))
    with pytest.raises(RatesError, match=message) as caught:
        Rates.load(path)
    assert "bad.json" in str(caught.value)


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RatesError, match=r"none\.json cannot be read"):
        Rates.load(tmp_path / "none.json")
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(RatesError, match=r"broken\.json has a bad value"):
        Rates.load(path)
