"""Money, names, redaction, tolerant field reading."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.fireworks import fields
from workflows.fireworks.money import Money
from workflows.fireworks.names import LONGEST, VALID, full_name, resource_id, short
from workflows.fireworks.redaction import redact, redact_body


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.decimals(min_value=-(10**12), max_value=10**12, places=9))
def test_money_survives_the_journey(amount):
    money = Money(amount)
    assert Money.from_api(money.to_api()) == money


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        ({"currencyCode": "USD", "units": "0", "nanos": 359000000}, "0.359"),
        ({"units": "12"}, "12"),
        ({}, "0"),
        ({"units": "-1", "nanos": -500000000}, "-1.5"),
    ],
)
def test_money_is_read_without_loss(raw, amount):
    assert Money.from_api(raw) == Money(Decimal(amount))


@pytest.mark.parametrize("raw", [None, "3", 3, {"units": "many"}, {"units": "NaN"}, {"nanos": "Infinity"}])
def test_what_is_no_money_is_none(raw):
    assert Money.from_api(raw) is None


def test_money_finer_than_the_api_is_refused():
    with pytest.raises(ValueError, match="finer"):
        Money(Decimal("0.0000000001")).to_api()


def test_an_id_says_what_it_is():
    assert resource_id("fwp", "k3x9", "Train 16/1e-4", 2, "9f2c01") == "fwp-k3x9-train-16-1e-4-a2-9f2c01"


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.text(max_size=40), st.text(max_size=80), st.integers(1, 10**6), st.text(max_size=80))
def test_every_id_is_one_that_fireworks_takes(session, purpose, attempt, suffix):
    made = resource_id("fwp", session, purpose, attempt, suffix)
    assert len(made) <= LONGEST
    assert VALID.fullmatch(made)
    assert made == resource_id("fwp", session, purpose, attempt, suffix)


def test_long_ids_stay_different():
    first, second = (resource_id("fwp", "s", "p" * 70, attempt, "x") for attempt in (1, 2))
    assert first != second


@pytest.mark.parametrize("bad", [("1fwp", 1), ("", 1), ("fwp", 0)])
def test_ids_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match=r"letter|counted"):
        resource_id(bad[0], "s", "p", bad[1], "x")


def test_full_and_short_names():
    assert full_name("acme", "datasets", "d") == "accounts/acme/datasets/d"
    assert full_name("acme", "datasets", "accounts/b/datasets/e") == "accounts/b/datasets/e"
    assert short("accounts/b/datasets/e") == "e"


def test_redaction_hides_keys_tokens_and_signatures():
    told = redact("my-key Bearer abc.def fw_AbCdEfGh123 https://s.test/f?X-Sig=1&b=2 end", "my-key")
    assert told == "[hidden] Bearer [hidden] [hidden] https://s.test/f?[hidden] end"


def test_bodies_are_redacted_at_every_depth_and_not_changed():
    body = {"a": [{"apiKey": "k", "b": 1}], "credentialsSecret": "s", "apiKey": ""}
    assert redact_body(body) == {
        "a": [{"apiKey": "[hidden]", "b": 1}],
        "credentialsSecret": "[hidden]",
        "apiKey": "",
    }
    assert body["credentialsSecret"] == "s"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", 12),
        (12, 12),
        (12.0, 12),
        ("9007199254740993", 9007199254740993),
        (1.5, None),
        (True, None),
        ("x", None),
        (None, None),
        ([], None),
    ],
)
def test_int64_strings_are_exact(value, expected):
    assert fields.integer({"k": value}, "k") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1e-4", 1e-4), (3, 3.0), (float("nan"), None), ("NaN", None), (False, None), ({}, None)],
)
def test_numbers_are_finite_or_absent(value, expected):
    assert fields.number(value) == expected


def test_times_carry_a_zone():
    assert fields.moment({"t": "2026-10-08T01:02:03Z"}, "t") == datetime(2026, 10, 8, 1, 2, 3, tzinfo=UTC)
    assert fields.moment({"t": "2026-10-08T01:02:03"}, "t").tzinfo is UTC
    assert fields.moment({"t": "yesterday"}, "t") is None
