"""The catalogue, the account's own models, shapes and prices."""

from __future__ import annotations

from decimal import Decimal

import pytest

from localfireworks.catalogue import CATALOGUE, TUNABLE
from localfireworks.rates import money, training_cost, training_rate
from tests.unit.localfireworks.conftest import QWEN, Server

CATALOGUE_PATH = "/v1/accounts/fireworks/models"


def test_every_public_model_says_that_it_is_a_stand_in() -> None:
    for model in CATALOGUE.values():
        title = model.body()["displayName"]
        assert "(stand-in, " in title
        assert len(title) < 64


@pytest.mark.parametrize(
    ("id_", "standin"),
    [
        ("qwen3-0p6b", "small"),
        ("qwen3p5-9b", "small"),
        ("qwen3-14b", "medium"),
        ("qwen3-32b", "medium"),
        ("llama-v3p3-70b-instruct", "medium"),
        ("qwen3-235b-a22b-instruct-2507", "large"),
        ("kimi-k3", "large"),
    ],
)
def test_stand_ins_follow_the_size_of_the_real_model(id_: str, standin: str) -> None:
    assert CATALOGUE[f"accounts/fireworks/models/{id_}"].standin == standin


async def test_the_catalogue_is_listed_in_pages_and_filtered(server: Server) -> None:
    page = (await server.http.get(CATALOGUE_PATH, params={"pageSize": 30})).json()
    assert (len(page["models"]), page["totalSize"]) == (30, len(CATALOGUE))
    query = {"filter": "supervised_lora_tunable=true", "pageSize": 200}
    tunable = (await server.http.get(CATALOGUE_PATH, params=query)).json()["models"]
    assert len(tunable) == len(TUNABLE)
    query = {"filter": "supports_serverless=true", "orderBy": "name"}
    serverless = (await server.http.get(CATALOGUE_PATH, params=query)).json()["models"]
    assert "accounts/fireworks/models/gpt-oss-20b" in [model["name"] for model in serverless]


async def test_a_model_has_the_figures_of_the_real_one(server: Server) -> None:
    body = (await server.http.get("/v1/" + QWEN)).json()
    assert body["baseModelDetails"]["parameterCount"] == "8190000000"
    assert (body["kind"], body["state"], body["supervisedLoraTunable"]) == ("HF_BASE_MODEL", "READY", True)
    assert body["trainingContextLength"] == 256000
    assert (await server.http.get("/v1/accounts/fireworks/models/none")).status_code == 404


async def test_serverless_prices_are_money(server: Server) -> None:
    body = (await server.http.get("/v1/accounts/fireworks/models/gpt-oss-20b")).json()
    skus = body["serverlessModes"][0]["skuInfos"]
    assert skus[0]["amount"] == {"currencyCode": "USD", "units": "0", "nanos": 70_000_000}


def test_training_rates_follow_the_bands() -> None:
    rates = [training_rate(n * 10**9) for n in (1, 16, 17, 80, 300, 301)]
    assert rates == [Decimal(text) for text in ("0.50", "0.50", "3.00", "3.00", "6.00", "10.00")]
    assert training_rate(10**9, "dpo") == Decimal("1.00")
    assert money(training_cost(1_350_000, 8 * 10**9))["nanos"] == 500_000_000
    assert money(Decimal("12.5")) == {"currencyCode": "USD", "units": "12", "nanos": 500_000_000}


async def test_own_models_are_shown_changed_downloaded_and_deleted(server: Server) -> None:
    name = await server.trained()
    path = name.removeprefix("accounts/rehearsal")
    assert [model["name"] for model in (await server.get("/models"))["models"]] == [name]
    await server.http.patch("/v1/" + name, json={"displayName": "Mine", "description": "d"})
    assert (await server.get(path))["displayName"] == "Mine"
    urls = (await server.get(path + ":getDownloadEndpoint"))["filenameToSignedUrls"]
    file = await server.http.get(urls["adapter_config.json"], headers={"Authorization": ""})
    assert file.status_code == 400  # an empty Authorization header is a header too
    del server.http.headers["Authorization"]
    assert (await server.http.get(urls["adapter_config.json"])).json()["r"] == 8
    server.http.headers["X-Api-Key"] = "k"
    assert (await server.http.delete("/v1/" + name)).status_code == 200
    assert (await server.refused(path, method="GET"))[0] == 404


async def test_shapes_match_what_a_model_can_be_served_on(server: Server) -> None:
    async def match(model: str, *, addons: bool = False) -> list[str]:
        wanted = {"parent": "accounts/rehearsal", "deployment": {"baseModel": model, "enableAddons": addons}}
        answer = await server.post("/deploymentShapeVersions:match", {"createDeploymentRequest": wanted})
        return [version["snapshot"]["precision"] for version in answer["deploymentShapeVersions"]]

    assert await match(QWEN) == ["FP8", "BF16"]
    assert await match(QWEN, addons=True) == ["BF16"]
    assert await match("accounts/fireworks/models/nemotron-nano-3-30b-a3b", addons=True) == []
    shapes = await server.get("/deploymentShapes", targetModel=QWEN)
    name = shapes["deploymentShapes"][0]["name"]
    assert (await server.http.get("/v1/" + name)).json()["acceleratorType"] == "NVIDIA_H100_80GB"
    versions = (await server.http.get(f"/v1/{name}/versions")).json()["deploymentShapeVersions"]
    assert (await server.http.get("/v1/" + versions[0]["name"])).json()["latestValidated"] is True
    unknown = await server.http.get("/v1/accounts/fireworks/deploymentShapes/none")
    assert unknown.status_code == 403
