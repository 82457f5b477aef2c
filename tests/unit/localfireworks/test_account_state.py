"""The account: suspension, payment method, request rates, quotas with their usage."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.localfireworks.conftest import QWEN, ROOT, SERVERLESS, Server

CHAT = {"model": SERVERLESS, "messages": [{"role": "user", "content": "hi"}]}
JOBS = "/supervisedFineTuningJobs"


async def set_account(server: Server, **body: Any) -> dict[str, Any]:
    response = await server.http.patch("/admin/account", json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def chat(server: Server) -> int:
    return (await server.http.post("/inference/v1/chat/completions", json=CHAT)).status_code


async def test_a_suspended_account_reads_and_cleans_up_but_makes_nothing(server: Server) -> None:
    await server.dataset("d")
    await set_account(server, suspendState="FAILED_PAYMENTS")
    assert (await server.get(""))["suspendState"] == "FAILED_PAYMENTS"
    refused = await server.http.post(f"{ROOT}/datasets", json={"datasetId": "e", "dataset": {}})
    assert (refused.status_code, refused.json()["code"]) == (412, 9)
    inference = await server.http.post("/inference/v1/chat/completions", json=CHAT)
    assert (inference.status_code, inference.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")
    body = {"dataset": "accounts/rehearsal/datasets/d", "baseModel": QWEN}
    assert (await server.post(f"{JOBS}:estimateCost", body))["estimatedCost"]["units"] == "0"
    assert (await server.http.delete(f"{ROOT}/datasets/d")).status_code == 200
    await set_account(server, suspendState="UNSUSPENDED")
    assert await chat(server) == 200


async def test_a_suspension_pauses_what_runs_until_it_is_resumed(server: Server) -> None:
    await server.job()
    folder = server.runs.started[0]
    server.runs.report(folder, "running", percent=40)
    server.tick()
    await set_account(server, suspendState="CREDIT_DEPLETED")
    server.tick()
    assert (await server.state(), server.runs.asked) == ("PAUSED", [(folder, False)])
    assert (await server.refused(f"{JOBS}/job-1:resume"))[0] == 412
    await set_account(server, suspendState="UNSUSPENDED")
    server.tick(100)
    assert await server.state() == "PAUSED"
    assert "in use by" in (await server.refused("/datasets/for-job-1", method="DELETE"))[1]
    server.runs.living.clear()
    await server.post(f"{JOBS}/job-1:resume")
    server.tick()
    assert server.runs.started == [folder, folder]


async def test_without_a_payment_method_ten_calls_a_minute_and_no_job(server: Server) -> None:
    await server.dataset("d")
    assert await set_account(server, paymentMethod=False) == {
        "suspendState": "UNSUSPENDED",
        "paymentMethod": False,
    }
    server.clock.now += 61
    body = {"dataset": "accounts/rehearsal/datasets/d", "baseModel": QWEN}
    assert "payment method" in (await server.refused(JOBS, body))[1]
    statuses = [(await server.http.get(f"{ROOT}/datasets")).status_code for _ in range(10)]
    assert statuses == [200] * 9 + [429]
    late = await server.http.get(f"{ROOT}/datasets")
    assert (late.headers["retry-after"], late.json()["code"]) == ("60", 8)
    assert await chat(server) == 429
    server.clock.now += 60
    assert await chat(server) == 200
    await set_account(server, paymentMethod=True)
    assert (await server.http.post(f"{ROOT}{JOBS}", json=body)).status_code == 200


async def test_quotas_show_what_is_used(server: Server) -> None:
    await server.job(baseModel="accounts/fireworks/models/qwen3-14b")
    server.runs.report(server.runs.started[0], "running")
    await server.post("/deployments", {"baseModel": QWEN, "deploymentShape": "default"}, deploymentId="dep")
    await server.settled()
    assert await chat(server) == 200
    usage = {row["name"].rsplit("/")[-1]: row["usage"] for row in (await server.get("/quotas"))["quotas"]}
    assert usage["training-h200-count"] == 2
    assert usage["deployment-h100-count"] == 1
    assert usage["serverless-inference-rpm"] == 1
    server.tick(3600)
    assert (await server.get("/quotas/serverless-inference-rpm"))["usage"] == 0
    assert 0 < (await server.get("/quotas/monthly-spend-usd"))["usage"] < 9


async def test_a_quota_can_be_lowered_and_holds(server: Server) -> None:
    path = f"{ROOT}/quotas/serverless-inference-rpm"
    assert (await server.http.patch(path, json={"value": "2"})).json()["value"] == "2"
    assert [await chat(server) for _ in range(3)] == [200, 200, 429]
    assert (await server.http.get(f"{ROOT}/datasets")).status_code == 200
    assert (await server.http.patch(path, json={"value": "9000"})).status_code == 400
    assert (await server.http.patch(f"{ROOT}/quotas/none", json={"value": "1"})).status_code == 404


async def test_a_spending_limit_that_was_set_suspends_the_account(server: Server) -> None:
    await server.trained(baseModel="accounts/fireworks/models/qwen3-32b")
    assert (await server.get("/quotas/monthly-spend-usd"))["usage"] == pytest.approx(2.222222222)
    path = f"{ROOT}/quotas/monthly-spend-usd"
    await server.http.patch(path, json={"value": "3"})
    assert await chat(server) == 200
    await server.http.patch(path, json={"value": "2"})
    assert (await server.get(""))["suspendState"] == "MONTHLY_SPEND_LIMIT_EXCEEDED"
    assert await chat(server) == 412


@pytest.mark.parametrize("body", [{"suspendState": "SAD"}, {"paymentMethod": "perhaps"}, {"unknown": 1}])
async def test_an_account_setting_that_makes_no_sense_is_refused(server: Server, body: Any) -> None:
    assert (await server.http.patch("/admin/account", json=body)).status_code == 400


async def test_the_page_sets_the_account_by_a_form(server: Server) -> None:
    form = {"suspendState": "BLOCKED_BY_ABUSE_RULE", "paymentMethod": "true"}
    answer = await server.http.post("/admin/account", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/#account")
    shown = (await server.http.get("/admin/account")).json()
    assert shown == {"suspendState": "BLOCKED_BY_ABUSE_RULE", "paymentMethod": True}
