"""The key check, the account, quotas, and the two forms of errors."""

from __future__ import annotations

import pytest

from tests.unit.localfireworks.conftest import ROOT, Server


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer k"}, {"Authorization": "", "X-Api-Key": "k"}])
async def test_any_key_of_either_header_is_accepted(server: Server, headers: dict[str, str]) -> None:
    response = await server.http.get("/verifyApiKey", headers=headers)
    assert (response.status_code, response.headers["x-fireworks-account-id"]) == (200, "rehearsal")


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer  ", "Basic abc"])
async def test_without_a_key_each_half_refuses_in_its_own_form(server: Server, value: str) -> None:
    control = await server.http.get("/v1/accounts", headers={"Authorization": value})
    assert (control.status_code, control.json()["code"]) == (401, 16)
    path = "/inference/v1/chat/completions"
    inference = await server.http.post(path, headers={"Authorization": value}, json={})
    assert (inference.status_code, inference.json()["error"]["code"]) == (401, "UNAUTHORIZED")


async def test_the_page_and_the_health_check_need_no_key(server: Server) -> None:
    page = await server.http.get("/", headers={"Authorization": ""})
    assert page.status_code == 200
    assert "stand-in" in page.text
    health = await server.http.get("/healthz", headers={"Authorization": ""})
    assert health.json()["account"] == "rehearsal"


async def test_the_one_account_is_listed_and_shown(server: Server) -> None:
    listed = (await server.http.get("/v1/accounts", params={"pageSize": 2})).json()["accounts"]
    assert [account["name"] for account in listed] == ["accounts/rehearsal"]
    assert (await server.get(""))["suspendState"] == "UNSUSPENDED"


async def test_another_account_is_forbidden(server: Server) -> None:
    response = await server.http.get("/v1/accounts/somebody/datasets")
    assert (response.status_code, response.json()["code"]) == (403, 7)


async def test_quotas_have_int64_as_text(server: Server) -> None:
    quotas = (await server.get("/quotas"))["quotas"]
    assert {"monthly-spend-usd", "serverless-inference-rpm"} <= {q["name"].rsplit("/")[-1] for q in quotas}
    one = await server.get("/quotas/monthly-spend-usd")
    assert (one["value"], one["usage"]) == ("500", 0.0)
    assert await server.refused("/quotas/none", method="GET") == (
        404,
        "accounts/rehearsal/quotas/none not found",
    )


async def test_unknown_paths_and_methods_answer_in_the_api_form(server: Server) -> None:
    assert (await server.refused("/nothing", method="GET"))[0] == 404
    assert (await server.refused("/datasets", method="PUT"))[0] == 405
    inference = await server.http.get("/inference/v1/nothing")
    assert inference.json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("path", [ROOT, f"{ROOT}/nothing", "/healthz", "/inference/v1/models"])
async def test_every_answer_has_an_id_of_its_own(server: Server, path: str) -> None:
    ids = [(await server.http.get(path)).headers.get_list("x-request-id") for _ in range(2)]
    assert [len(each) for each in ids] == [1, 1]
    assert ids[0] != ids[1]


async def test_a_body_that_is_not_json_or_no_object_is_refused(server: Server) -> None:
    broken = await server.http.post(f"{ROOT}/datasets", content=b"{")
    assert (broken.status_code, broken.json()["code"]) == (400, 3)
    assert "not JSON" in broken.json()["message"]
    assert await server.refused("/datasets", [1]) == (400, "the body must be a JSON object")
    assert (await server.refused("/datasets", {"dataset": {}}))[1].startswith("invalid value for datasetId")
