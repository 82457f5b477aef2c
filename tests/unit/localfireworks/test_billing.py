"""Costs: recorded by the hour, exact, the same total however they are grouped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from localfireworks import replicas
from localfireworks.models import find_model
from localfireworks.rates import amount_of, gpu_cost, money
from localfireworks.usage import record_tokens
from tests.unit.localfireworks.conftest import QWEN, ROOT, SERVERLESS, Server

SHAPED = {"baseModel": QWEN, "deploymentShape": "default"}
BIG = "accounts/fireworks/models/qwen3-32b"


async def costs(server: Server, **body: Any) -> dict[str, Any]:
    return await server.post("/usageCosts:query", body)


def tokens(server: Server, prompt: int, completion: int) -> None:
    target = find_model(server.service, SERVERLESS)
    assert target is not None
    record_tokens(server.service, target, prompt, completion)


async def everything(server: Server) -> None:
    """A training of 1,000,000 tokens at $3, an H100 for 90 minutes at $8, serverless tokens."""
    await server.trained(baseModel=BIG)
    await server.post("/deployments", SHAPED, deploymentId="dep")
    await server.settled()
    server.clock.now += 5400
    tokens(server, 1_350_000, 135_000)
    await server.http.delete(f"{ROOT}/deployments/dep", params={"ignoreChecks": "true"})


async def test_all_that_was_used_is_rated_exactly(server: Server) -> None:
    await everything(server)
    answer = await costs(server, groupBy=["MODEL"])
    rows = {row["dimensions"]["model"]: amount_of(row["subtotal"]) for row in answer["rows"]}
    assert rows[BIG] == Decimal("2.222222222")
    assert rows[SERVERLESS] == Decimal("0.07") + Decimal("0.03")
    assert Decimal(12) <= rows[QWEN] < Decimal("12.01")
    assert amount_of(answer["subtotal"]) == sum(rows.values())
    assert answer["attributionCompleteness"] == "COMPLETE"


@pytest.mark.parametrize("groups", [[], ["HOUR"], ["DAY"], ["DAY", "MODEL"], ["MODEL", "HOUR"], ["USER"]])
async def test_rows_add_up_to_the_subtotal_however_grouped(server: Server, groups: list[str]) -> None:
    await everything(server)
    answer = await costs(server, groupBy=groups)
    total = sum(amount_of(row["subtotal"]) for row in answer["rows"])
    assert total == amount_of(answer["subtotal"]) == amount_of((await costs(server))["subtotal"])
    if "HOUR" in groups:
        starts = [row["dimensions"]["startTime"] for row in answer["rows"]]
        assert len(set(starts)) >= 2
        assert all(start.endswith(":00:00.000000Z") for start in starts)


async def test_gpu_time_is_billed_while_replicas_serve_and_not_while_no_server_runs(server: Server) -> None:
    await server.post("/deployments", SHAPED | {"minReplicaCount": 2}, deploymentId="dep")
    assert amount_of((await costs(server))["subtotal"]) == 0
    await server.settled()
    before = amount_of((await costs(server))["subtotal"])
    server.clock.now += 1800
    assert amount_of((await costs(server))["subtotal"]) - before == Decimal(8)
    server.clock.now += 10_000
    replicas.bill_all(server.service, downtime=True)
    assert amount_of((await costs(server))["subtotal"]) - before == Decimal(8)


async def test_sleeping_deployments_cost_nothing(server: Server) -> None:
    await server.post("/deployments", SHAPED, deploymentId="dep")
    await server.settled()
    await server.http.patch(f"{ROOT}/deployments/dep:scale", json={"replicaCount": 0})
    before = (await costs(server))["subtotal"]
    server.tick(7200)
    assert (await costs(server))["subtotal"] == before


async def test_costs_come_in_pages_with_one_subtotal(server: Server) -> None:
    for _ in range(5):
        tokens(server, 1000, 1000)
        server.clock.now += 3600
    first = await costs(server, groupBy=["HOUR"], pageSize=3)
    assert (len(first["rows"]), bool(first["nextPageToken"])) == (3, True)
    second = await costs(server, groupBy=["HOUR"], pageSize=3, pageToken=first["nextPageToken"])
    assert (len(second["rows"]), second["nextPageToken"]) == (2, "")
    assert first["subtotal"] == second["subtotal"]


async def test_a_range_of_time_and_a_filter_narrow_the_costs(server: Server) -> None:
    await everything(server)
    only = await costs(server, filter={"model": SERVERLESS})
    assert amount_of(only["subtotal"]) == Decimal("0.10")
    before = await costs(server, endTime="2026-01-01T00:00:00Z", startTime="2025-12-01T00:00:00Z")
    assert (before["rows"], before["subtotal"]["units"]) == ([], "0")
    assert (await costs(server, groupBy=["API_KEY"]))["attributionCompleteness"] == "INCOMPLETE"


@pytest.mark.parametrize(
    "body",
    [
        {"groupBy": ["HOUR", "DAY"]},
        {"groupBy": ["MODEL", "USER", "DAY"]},
        {"groupBy": ["MODEL", "MODEL"]},
        {"groupBy": ["PLANET"]},
        {"scope": "WORLD"},
        {"startTime": "yesterday"},
        {"startTime": "2026-02-01T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"},
    ],
)
async def test_queries_that_make_no_sense_are_refused(server: Server, body: dict[str, Any]) -> None:
    assert (await server.refused("/usageCosts:query", body))[0] == 400


async def test_the_summary_has_a_line_for_each_category_and_its_days(server: Server) -> None:
    await everything(server)
    summary = await server.get("/billing/summary", granularity="DAILY")
    lines = {line["series"]: line for line in summary["lineItems"]}
    assert lines["SERVERLESS"]["quantity"] == 1_485_000
    assert lines["DEDICATED_DEPLOYMENT"]["groupingValue"] == "NVIDIA_H100_80GB"
    assert lines["DEDICATED_DEPLOYMENT"]["quantity"] == pytest.approx(5400, abs=5)
    by_day = [line for bucket in summary["usageBuckets"] for line in bucket["lineItems"]]
    assert sum(amount_of(line["totalCost"]) for line in by_day) == amount_of(
        (await costs(server))["subtotal"]
    )


async def test_usage_has_quantities_without_dollars(server: Server) -> None:
    await everything(server)
    shown = await server.get("/billingUsage")
    (serverless,) = shown["serverlessCosts"]
    assert (serverless["promptTokens"], serverless["group"]) == ("1350000", {"model_name": SERVERLESS})
    (dedicated,) = shown["dedicatedCosts"]
    assert dedicated["group"]["deployment_name"] == "accounts/rehearsal/deployments/dep"
    assert shown["trainingCosts"][0]["trainingTokens"] == "1000000"
    only = await server.get("/billingUsage", usageType="DEDICATED_DEPLOYMENT", groupBy="accelerator_type")
    assert list(only) == ["dedicatedCosts"]
    assert only["dedicatedCosts"][0]["group"] == {"accelerator_type": "NVIDIA_H100_80GB"}
    for query in ({"usageType": "X"}, {"groupBy": "planet"}, {"startTime": "2026-01-01T00:00:00Z"}):
        assert (await server.refused("/billingUsage", method="GET", **query))[0] == 400


def test_money_is_exact_and_gpu_prices_have_a_date() -> None:
    assert amount_of(money(Decimal("12.345678901"))) == Decimal("12.345678901")
    assert gpu_cost("NVIDIA_B200_180GB", Decimal(3600), 1_788_220_799.0) == 10
    assert gpu_cost("NVIDIA_B200_180GB", Decimal(3600), 1_788_220_800.0) == 13
    assert gpu_cost("UNKNOWN", Decimal(3600), 0.0) == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_is_billed_by_its_tokens_and_a_deployment_by_its_gpus(
    server: Server, stream: bool
) -> None:
    body = {"model": SERVERLESS, "messages": [{"role": "user", "content": "one two"}], "stream": stream}
    await server.http.post("/inference/v1/chat/completions", json=body)
    await server.post("/deployments", SHAPED, deploymentId="dep")
    await server.settled()
    address = "accounts/rehearsal/deployments/dep"
    await server.http.post("/inference/v1/chat/completions", json=body | {"model": address})
    (row,) = (await server.get("/billingUsage"))["serverlessCosts"]
    assert (row["promptTokens"], row["completionTokens"]) == ("2", "3")
