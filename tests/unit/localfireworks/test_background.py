"""The background loop: what breaks stays with its own job or deployment, and a stuck loop is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.localfireworks.conftest import QWEN, Server

GONE = "accounts/fireworks/models/from-a-folder"


@pytest.mark.parametrize(
    ("loss", "code", "words"),
    [({"base": GONE}, "NOT_FOUND", "--model"), ({"adapter": None, "base": []}, "INTERNAL", "Internal error")],
)
async def test_a_job_that_breaks_fails_alone(
    server: Server, loss: dict[str, Any], code: str, words: str
) -> None:
    dataset = await server.dataset("d")
    for id_ in ("job-1", "job-2"):
        body = {"dataset": dataset, "baseModel": QWEN}
        await server.post("/supervisedFineTuningJobs", body, supervisedFineTuningJobId=id_)
    first = server.service.store.get("accounts/rehearsal/supervisedFineTuningJobs/job-1")
    assert first is not None
    first.private |= loss
    server.service.save(first)

    server.tick(times=3)

    failed = await server.get("/supervisedFineTuningJobs/job-1")
    assert (failed["state"], failed["status"]["code"]) == ("JOB_STATE_FAILED", code)
    assert words in failed["status"]["message"]
    assert [path.name.startswith("job-2") for path in server.runs.started] == [True]


async def test_a_deployment_that_cannot_be_billed_does_not_stop_the_others(server: Server) -> None:
    for id_ in ("d-1", "d-2"):
        body = {"baseModel": QWEN, "deploymentShape": "default"}
        await server.post("/deployments", body, deploymentId=id_)
    await server.settled()
    first = server.service.store.get("accounts/rehearsal/deployments/d-1")
    assert first is not None
    first.body["acceleratorCount"] = 2**62
    server.service.save(first)

    server.tick(100_000, times=2)

    second = await server.get("/deployments/d-2")
    assert second["replicaCount"] == 0


async def test_health_says_when_the_loop_is_stuck(server: Server) -> None:
    server.tick()
    assert (await server.http.get("/healthz")).status_code == 200
    server.clock.now += 60
    answer = await server.http.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "stuck")
