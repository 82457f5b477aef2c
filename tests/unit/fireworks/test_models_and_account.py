"""Models, quotas and the account's state, read from raw JSON."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from workflows.fireworks import accounts, errors, models

QWEN = {
    "name": "accounts/fireworks/models/qwen3-8b",
    "displayName": "Qwen3 8B",
    "state": "READY",
    "kind": "HF_BASE_MODEL",
    "baseModelDetails": {"parameterCount": "8190735360", "moe": False},
    "contextLength": 40960,
    "trainingContextLength": 256000,
    "supportsLora": True,
    "supervisedLoraTunable": True,
    "tunable": False,
    "deprecationDate": {"year": 2027, "month": 3, "day": 1},
    "serverlessModes": [
        {
            "name": "standard",
            "skuInfos": [{"sku": "in", "amount": {"units": "0", "nanos": 200000000}, "unit": "1M tokens"}],
        }
    ],
}


def test_a_model_is_read_with_flags_and_prices():
    model = models.parse(QWEN)
    assert (model.ready, model.tunable, model.servable_after) == (True, True, True)
    assert (model.parameters, model.mixture) == (8190735360, False)
    assert model.deprecated_on == date(2027, 3, 1)
    (price,) = model.prices
    assert (price.mode, price.sku, price.amount.amount, price.unit) == (
        "standard",
        "in",
        Decimal("0.2"),
        "1M tokens",
    )


@pytest.mark.parametrize(
    ("raw", "tunable", "servable"),
    [
        ({}, False, True),
        ({"tunable": True}, True, True),
        ({"tunable": True, "supervisedLoraTunable": False}, False, True),
        ({"supervisedLoraTunable": True, "supportsLora": False}, True, False),
    ],
)
def test_tunable_and_servable_are_two_things(raw, tunable, servable):
    model = models.parse({"name": "n", **raw})
    assert (model.tunable, model.servable_after) == (tunable, servable)


@pytest.mark.parametrize(
    "odd",
    [
        {"serverlessModes": "x"},
        {"serverlessModes": [None, {"skuInfos": [3, {"amount": "free"}]}]},
        {"deprecationDate": {"year": 2027, "month": 99}},
        {"baseModelDetails": None},
    ],
)
def test_odd_fields_do_not_break_a_model(odd):
    model = models.parse({"name": "n", "kind": "NEW_KIND", **odd})
    assert (model.kind, model.prices, model.deprecated_on) == ("NEW_KIND", (), None)


def test_the_catalogue_is_listed_over_pages(remote):
    path = "/v1/accounts/fireworks/models"
    remote.on(
        f"GET {path}",
        {"models": [QWEN], "nextPageToken": "2"},
        {"models": [{"name": "b"}], "nextPageToken": ""},
    )
    found = list(models.list_public(remote.client(), "supports_lora=true"))
    assert [each.name for each in found] == [QWEN["name"], "b"]
    assert {request.url.params["filter"] for request in remote.requests} == {"supports_lora=true"}


def test_models_are_got_by_full_name_and_by_id(remote):
    remote.on("GET /v1/accounts/fireworks/models/qwen3-8b", QWEN).on(
        "GET /v1/accounts/acme/models/mine", {"name": "m", "peftDetails": {"baseModel": "b"}}
    )
    client = remote.client()
    assert models.get(client, QWEN["name"]).display_name == "Qwen3 8B"
    assert models.get(client, "mine").base_model == "b"
    with pytest.raises(errors.NotFound):
        models.get(client, "absent")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"state": "READY", "suspendState": "UNSUSPENDED"}, ""),
        ({"state": "READY"}, ""),
        ({"state": "READY", "suspendState": "MONTHLY_SPEND_LIMIT_EXCEEDED"}, "spend limit"),
        ({"state": "READY", "suspendState": "SOMETHING_NEW"}, "SOMETHING_NEW"),
        ({"state": "DELETING"}, "DELETING"),
    ],
)
def test_what_keeps_an_account_from_spending(remote, raw, problem):
    remote.on("GET /v1/accounts/acme", {"name": "accounts/acme", **raw})
    found = accounts.get(remote.client()).problem
    assert problem in found
    assert bool(found) == bool(problem)


def test_quotas_with_text_values(remote):
    remote.on(
        "GET /v1/accounts/acme/quotas",
        {
            "quotas": [
                {"name": "accounts/acme/quotas/monthly-spend-usd", "value": "50", "usage": 12.5},
                {"name": "x"},
            ]
        },
    )
    first, second = accounts.quotas(remote.client())
    assert (first.name, first.limit, first.used, first.left) == ("monthly-spend-usd", 50.0, 12.5, 37.5)
    assert second.left is None
