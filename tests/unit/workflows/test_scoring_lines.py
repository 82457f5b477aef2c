"""What the plan sets aside for the full-data run's answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sessions.costs import Line
from sessions.specification import CandidateConfig
from workflows.answers import Priced
from workflows.phases.scoring_lines import with_another

pytestmark = pytest.mark.unit
SMALL, LARGE = "accounts/fireworks/models/qwen3-0p6b", "accounts/fireworks/models/qwen3-32b"
CONFIGS = [
    CandidateConfig(number=number, base_model=base, lora_rank=8, learning_rate=1e-4, epochs=1)
    for number, base in enumerate((SMALL, LARGE), 1)
]


def way(name: str, high: str | None, why_not: str = "") -> dict[str, Any]:
    half = None if high is None else str(Decimal(high) / 2)
    return {"way": name, "why_not": why_not, "expected": half, "high": high}


def line(base: str, high: str | None) -> Line:
    amount = None if high is None else Decimal(high)
    half = None if amount is None else amount / 2
    return Line(
        f"deployment:heldout:{base}", "Temporary", "inference", "sweep", half, half, amount, "An hour."
    )


def priced(small: list[dict[str, Any]], large: list[dict[str, Any]], *highs: str | None) -> Priced:
    ways = [{"subject": "candidate:1", "ways": small}, {"subject": "candidate:2", "ways": large}]
    return Priced(tuple(map(line, (SMALL, LARGE), highs)), ways)


def highs(found: Priced) -> list[Decimal | None]:
    return [each.high for each in with_another(found, CONFIGS)]


def test_one_more_deployment_is_in_the_plan_on_the_dearest_line() -> None:
    refused = way("serverless", "1", "It is not served")
    found = priced([refused, way("multi_lora", "8")], [refused, way("multi_lora", "32")], "8", "32")
    assert highs(found) == [Decimal(8), Decimal(64)]
    assert with_another(found, CONFIGS)[1].how == (
        "An hour. Counted once more for the full-data run of the winner."
    )


def test_a_deployment_that_only_follows_a_refusal_is_asked_for_when_it_comes_to_that() -> None:
    cheap = [way("serverless", "1"), way("multi_lora", "8")]
    assert highs(priced(cheap, cheap, "0", "0")) == [Decimal(0), Decimal(0)]


def test_what_has_no_price_stays_without_one() -> None:
    unknown = [way("live_merge", None)]
    assert highs(priced(unknown, unknown, None, None)) == [None, None]
