"""Sums of money with lines that could not be priced."""

from decimal import Decimal
from typing import Any

import pytest

from sessions.bill import bill, lines_of_ledger, lines_of_plan, reason
from sessions.models import LedgerLine


def line(group: str, phase: str, expected: str | None, **more: Any) -> dict[str, Any]:
    amounts = dict.fromkeys(("low", "expected", "high"), expected)
    return {
        "item": "x",
        "label": f"{group} line",
        "group": group,
        "phase": phase,
        "how": "so",
        **amounts,
        **more,
    }


BODY = {
    "estimate": {
        "lines": [
            line("Training", "sweep", "0.10", low="0.07", high="0.13"),
            line("Training", "training", "0.20"),
            line("Deployment's first hour", "deployment", None),
        ]
    }
}


def test_sums_by_kind_and_by_phase_leave_out_what_has_no_price() -> None:
    table = bill(lines_of_plan(BODY))
    assert [(each.label, each.expected, each.open) for each in table.groups] == [
        ("Training", Decimal("0.30"), 0),
        ("Deployment's first hour", None, 1),
    ]
    assert [each.label for each in table.phases] == ["Candidate sweep", "Full training", "Deployment"]
    assert (table.total.low, table.total.expected, table.total.high) == (
        Decimal("0.27"),
        Decimal("0.30"),
        Decimal("0.33"),
    )
    assert [each.label for each in table.unpriced] == ["Deployment's first hour line"]


def test_the_ledger_adds_what_was_really_spent() -> None:
    rows = [
        LedgerLine(label="a", group="Training", phase="sweep", expected=Decimal(1), actual=Decimal("0.9")),
        LedgerLine(label="b", group="Training", phase="sweep", expected=Decimal(1)),
    ]
    assert bill(lines_of_ledger(rows)).total.actual == Decimal("0.9")


@pytest.mark.parametrize(
    ("amounts", "told", "words"),
    [
        ((1, 2, 3, None), "", ""),
        ((1, 2, 3, 2), "Fireworks counted 9 tokens", "as estimated"),
        ((1, 2, 3, 2), "counted at the most: no count was told", "counted at the most: no count was told"),
        ((1, 2, 3, 3), "", "within the range"),
        ((1, 2, 3, 3), "Fireworks counted 9 tokens", "Fireworks counted 9 tokens"),
        ((1, 2, 3, 4), "", "outside the range, and no reason was told"),
        ((None, None, None, 4), "", "there was no estimate"),
    ],
)
def test_every_amount_has_the_reason_for_its_gap(amounts: tuple[Any, ...], told: str, words: str) -> None:
    low, expected, high, actual = (None if each is None else Decimal(each) for each in amounts)
    row = LedgerLine(low=low, expected=expected, high=high, actual=actual, gap=told)
    assert reason(row) == words


def test_nothing_known_is_not_zero() -> None:
    table = bill([])
    assert (table.total.expected, table.total.actual, table.groups) == (None, None, [])


def test_a_kind_that_nobody_foresaw_is_shown_last() -> None:
    table = bill(
        lines_of_plan({"estimate": {"lines": [line("Judge", "evaluation", "1"), *BODY["estimate"]["lines"]]}})
    )
    assert table.groups[-1].label == "Judge"
