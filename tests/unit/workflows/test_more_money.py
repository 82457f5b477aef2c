"""What a person reads when a spend would pass the approved amount."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sessions.actions.spending import ApprovalExceeded
from workflows.faults import more_money


@pytest.mark.parametrize(
    ("wanted", "committed", "approved", "told"),
    [
        ("1.5", "2", "3", "may cost up to $1.50; $2.00 of the approved $3.00 is spent"),
        (
            "0.000215",
            "0.000446",
            "0.0005",
            "may cost up to $0.0003; $0.0005 of the approved $0.0005 is spent",
        ),
        ("0.5", "0", "0.25", "may cost up to $0.50; $0 of the approved $0.25 is spent"),
    ],
)
def test_amounts_below_a_cent_are_told_exactly(wanted: str, committed: str, approved: str, told: str) -> None:
    error = ApprovalExceeded("item", Decimal(wanted), Decimal(committed), Decimal(approved), label="Verdicts")
    assert told in more_money(error).text
