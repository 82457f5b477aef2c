"""Values without measure are refused with 400; none of them is a fault of the server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.localfireworks.conftest import QWEN, ROOT, Server

LONG = "9" * 5000
DEPLOYMENT = {"baseModel": QWEN, "deploymentShape": "default"}


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"datasetId": "e", "dataset": {"displayName": "\\ud800"}}',
        b'{"datasetId": "e", "dataset": {"exampleCount": "9223372036854775808"}}',
        b'{"datasetId": "e", "dataset": {"exampleCount": NaN}}',
    ],
)
async def test_bodies_without_measure(server: Server, body: bytes) -> None:
    answer = await server.http.post(f"{ROOT}/datasets", content=body)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"minReplicaCount": 2**31},
        {"acceleratorCount": 2**62},
        {"precision": "banana"},
        {"expireTime": "soon"},
        {"expireTime": "2026-01-31T12:00:00"},
        {"autoTune": deep(400)},
        {"autoTune": {"x": deep(300)}},
        {"autoscalingPolicy": {"loadTargets": {"x": "NaN"}}},
    ],
)
async def test_deployments_without_measure(server: Server, change: dict[str, Any]) -> None:
    assert (await server.refused("/deployments", DEPLOYMENT | change))[0] == 400


async def test_a_deployment_takes_a_time_as_the_api_writes_it(server: Server) -> None:
    given = DEPLOYMENT | {"expireTime": "2027-01-31T12:00:00.123456Z"}
    assert (await server.post("/deployments", given))["expireTime"] == given["expireTime"]


@pytest.mark.parametrize(
    "change",
    [{"learningRate": 1e30}, {"learningRate": "NaN"}, {"lrScheduler": {"linear": {"minLrRatio": "NaN"}}}],
)
async def test_training_without_measure(server: Server, change: dict[str, Any]) -> None:
    body = {"dataset": await server.dataset("d"), "baseModel": QWEN}
    assert (await server.refused("/supervisedFineTuningJobs", body | change))[0] == 400


@pytest.mark.parametrize("filter_", ["(" * 5000, "NOT " * 1500 + "a=1", "- " * 1500 + "a=1"])
async def test_filters_without_measure(server: Server, filter_: str) -> None:
    assert (await server.refused("/datasets", method="GET", filter=filter_))[0] == 400


async def test_long_lists_of_conditions_and_large_pages_are_answered(server: Server) -> None:
    await server.dataset("d")
    for word in ("AND", "OR"):
        answer = await server.get("/datasets", filter=f" {word} ".join(["state=READY"] * 1500))
        assert answer["totalSize"] == 1
    assert (await server.get("/datasets", pageSize=LONG))["totalSize"] == 1
    assert (await server.get("/datasets", orderBy="nothing desc"))["totalSize"] == 1


@pytest.mark.parametrize("sizes", [{"a" * 250 + ".jsonl": 5}, {"é" * 125 + ".jsonl": 5}, {"a.jsonl": 2**63}])
async def test_files_without_measure(server: Server, sizes: dict[str, int]) -> None:
    await server.post("/datasets", {"datasetId": "d", "dataset": {}})
    body = {"filenameToSize": {name: str(size) for name, size in sizes.items()}}
    assert (await server.refused("/datasets/d:getUploadEndpoint", body))[0] == 400


@pytest.mark.parametrize(("date", "signature"), [(LONG, "x"), ("1790000000", "ü")])
async def test_signed_urls_without_measure(server: Server, date: str, signature: str) -> None:
    query = {"X-Goog-Date": date, "X-Goog-Signature": signature}
    del server.http.headers["Authorization"]
    assert (await server.http.get("/storage/models/a/b/c", params=query)).status_code == 403
