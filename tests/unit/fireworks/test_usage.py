"""What the account was charged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from workflows.fireworks import errors, usage

PATH = "/v1/accounts/acme/usageCosts:query"
START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=timezone(timedelta(hours=2)))
ROW = {
    "dimensions": {"model": "m", "startTime": "2026-10-01T00:00:00Z"},
    "subtotal": {"units": "1", "nanos": 5},
}


def test_all_pages_of_the_account(remote):
    first = {
        "rows": [ROW],
        "subtotal": {"units": "2"},
        "attributionCompleteness": "PARTIAL",
        "evaluationTime": "2026-10-02T00:00:00Z",
        "nextPageToken": "2",
    }
    remote.on(
        f"POST {PATH}",
        first,
        {
            "rows": [
                {**ROW, "dimensions": {**ROW["dimensions"], "unknownModel": False}},
                {"dimensions": {}},
                "noise",
            ]
        },
    )
    found = usage.query(remote.client(owns=lambda name: False), START, END, ("DAY", "MODEL"))
    assert [cost.amount.amount for cost in found.rows] == [Decimal("1.000000005")] * 2
    assert [cost.dimensions for cost in found.rows] == [ROW["dimensions"]] * 2
    assert (found.scope, found.subtotal.amount, found.complete) == ("ACCOUNT", 2, "PARTIAL")
    assert found.evaluated == datetime(2026, 10, 2, tzinfo=UTC)
    asked = {
        "startTime": "2026-10-01T00:00:00Z",
        "endTime": "2026-10-01T22:00:00Z",
        "groupBy": ["DAY", "MODEL"],
        "scope": "ACCOUNT",
        "pageSize": 200,
    }
    assert [remote.body(f"POST {PATH}", at) for at in (0, 1)] == [asked, {**asked, "pageToken": "2"}]


def test_a_key_that_may_not_see_the_account_sees_its_own(remote):
    remote.on(f"POST {PATH}", (403, {"code": 7, "message": "not an admin"}), {"rows": [ROW]})
    found = usage.query(remote.client(), START, END)
    assert (found.scope, len(found.rows)) == ("SELF", 1)
    assert [remote.body(f"POST {PATH}", at)["scope"] for at in (0, 1)] == ["ACCOUNT", "SELF"]


def test_pages_without_end_are_a_bad_answer(remote):
    remote.on(f"POST {PATH}", {"rows": [], "nextPageToken": "again"})
    with pytest.raises(errors.BadAnswer, match="pages"):
        usage.query(remote.client(), START, END)


@pytest.mark.parametrize(("end", "groups"), [(START, ("DAY",)), (END, ("DAY", "MODEL", "USER"))])
def test_a_question_that_the_api_would_refuse_is_not_sent(remote, end, groups):
    with pytest.raises(ValueError, match="grouped"):
        usage.query(remote.client(), START, end, groups)
    assert remote.requests == []
