"""The breakdown of a plan: each line by hand, the sums, and what could not be priced."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sessions.costs import Estimate, Job, Rates, estimate, training_line
from sessions.specification import CandidateConfig

SMALL, LARGE = "accounts/fireworks/models/qwen3-8b", "accounts/fireworks/models/qwen3-32b"
PARAMETERS: dict[str, int | None] = {SMALL: 8_190_000_000, LARGE: 32_800_000_000}
BOTH = (CandidateConfig(1, SMALL, 16, 1e-4, 3), CandidateConfig(2, LARGE, 16, 1e-4, 3))
ARGUMENTS: dict[str, Any] = {
    "rates": Rates.load(),
    "sample_tokens": 200_000,
    "full_tokens": 1_500_000,
    "parameters_by_model": PARAMETERS,
    "final_run": True,
    "deployment": ("NVIDIA_H200_141GB", 2),
    "today": dt.date(2026, 11, 20),
}


def made(**changes: Any) -> Estimate:
    candidates = changes.pop("candidates", BOTH)
    return estimate(candidates, **{**ARGUMENTS, **changes})


def expected(result: Estimate) -> dict[str, Decimal | None]:
    return {line.item: line.expected for line in result.lines}


def test_lines_by_hand() -> None:
    assert expected(made()) == {
        "training:candidate:1": Decimal("0.30"),  # 0.2M x 3 x $0.50
        "training:candidate:2": Decimal("1.80"),  # 0.2M x 3 x $3.00
        "training:final": Decimal("13.50"),  # 1.5M x 3 x $3.00, the dearer of the two
        "inference": Decimal(0),
        "deployment:first-hour": Decimal("16.00"),
    }


def test_training_ranges_from_seven_to_thirteen_tenths_and_gpu_hours_do_not() -> None:
    result = made()
    final, hour = result.line("training:final"), result.line("deployment:first-hour")
    assert final is not None
    assert hour is not None
    assert (final.low, final.high) == (Decimal("9.45"), Decimal("17.55"))
    assert (hour.low, hour.high) == (Decimal(16), Decimal(16))
    assert "1,500,000 tokens × 3 epochs × $3.00 per 1M" in final.how
    assert "most expensive candidate (qwen3-32b)" in final.how
    assert "2 × NVIDIA_H200_141GB × $8.00 per hour" in hour.how


def test_sums_by_group_and_phase_agree_with_the_total() -> None:
    result = made()
    groups, phases = result.by_group(), result.by_phase()
    assert [each.label for each in groups] == ["Training", "Inference", "Deployment's first hour", "Total"]
    assert [each.label for each in phases] == ["sweep", "training", "evaluation", "deployment"]
    assert [each.expected for each in groups] == [Decimal("15.60"), 0, 16, Decimal("31.60")]
    assert [each.expected for each in phases] == [Decimal("2.10"), Decimal("13.50"), 0, 16]
    assert (result.low, result.expected, result.high) == (
        Decimal("26.92"),
        Decimal("31.60"),
        Decimal("36.28"),
    )
    assert result.not_calculated == []


def test_an_unknown_size_is_not_calculated_and_neither_is_a_final_run_it_may_win() -> None:
    result = made(parameters_by_model={SMALL: 8_190_000_000, LARGE: None})
    assert expected(result)["training:candidate:1"] == Decimal("0.30")
    assert expected(result)["training:candidate:2"] is None
    assert expected(result)["training:final"] is None
    assert result.expected == Decimal("16.30")
    assert result.not_calculated == [
        "Candidate 2: qwen3-32b, rank 16, learning rate 1e-4",
        "Full-data run of the winner",
    ]
    assert result.by_group()[0].not_calculated == tuple(result.not_calculated)


@pytest.mark.parametrize(
    ("deployment", "why"),
    [(None, "not known yet"), (("NVIDIA_A100_80GB", 1), "No rate is known for 1 × NVIDIA_A100_80GB")],
)
def test_a_deployment_without_a_rate_is_not_calculated(deployment: Any, why: str) -> None:
    result = made(deployment=deployment)
    line = result.line("deployment:first-hour")
    assert line is not None
    assert line.expected is None
    assert why in line.how
    assert result.not_calculated == ["First hour of the deployment"]


def test_what_is_skipped_costs_nothing_and_has_no_line() -> None:
    assert list(expected(made(final_run=False, deploy=False))) == [
        "training:candidate:1",
        "training:candidate:2",
        "inference",
    ]


def test_without_candidates_the_final_run_is_not_calculated() -> None:
    assert made(candidates=()).not_calculated == ["Full-data run of the winner"]


def test_dearest_counts_epochs_as_well_as_rate() -> None:
    many = (replace(BOTH[0], epochs=20), replace(BOTH[1], epochs=3))
    assert expected(made(candidates=many))["training:final"] == Decimal("15.00")  # 1.5M x 20 x $0.50


def test_amounts_are_kept_to_the_millionth_of_a_dollar() -> None:
    line = training_line(Job("x", "x", "sweep", 3, 1), Decimal("0.50"))
    assert (line.low, line.expected, line.high) == (
        Decimal("0.000001"),
        Decimal("0.000002"),
        Decimal("0.000003"),
    )
    assert line.how.startswith("3 tokens × 1 epoch × $0.50 per 1M")


def test_json_keeps_every_amount_to_the_last_digit() -> None:
    result = made(deployment=None)
    data = json.loads(json.dumps(result.to_json()))
    assert Estimate.from_json(data) == result
    assert data["expected"] == "15.600000"
    assert data["not_calculated"] == ["First hour of the deployment"]
    assert data["rates_date"] == "2026-10-08"
    assert [each["label"] for each in data["by_group"]][-1] == "Total"
