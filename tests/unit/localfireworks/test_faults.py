"""Fault switches: where they strike, how often, with what answer, and what they do to jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from localfireworks.app import create_app
from localfireworks.errors import ApiError
from localfireworks.faults import PREFIX, Fault, all_faults, keep, read_faults
from tests.unit.localfireworks.conftest import KEY, ROOT, SERVERLESS, Server

DATASETS = f"{ROOT}/datasets"
CHAT = {"model": SERVERLESS, "messages": [{"role": "user", "content": "hi"}]}
JOBS = "/supervisedFineTuningJobs"


def switch(server: Server, kind: str, path: str = "*", **more: Any) -> Fault:
    return keep(server.service.store, Fault(kind=kind, path=path, **more))


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("rate-limited", 429, 8),
        ("quota-exceeded", 403, 7),
        ("suspended", 412, 9),
        ("server-error", 500, 13),
        ("unavailable", 503, 14),
    ],
)
async def test_each_half_of_the_api_refuses_in_its_own_form(
    server: Server, kind: str, status: int, code: int
) -> None:
    switch(server, kind)
    control = await server.http.get(DATASETS)
    assert (control.status_code, control.json()["code"]) == (status, code)
    assert set(control.json()) == {"code", "message", "details"}
    inference = await server.http.post("/inference/v1/chat/completions", json=CHAT)
    assert inference.status_code == status
    assert inference.json()["error"]["type"] == "error"
    storage = await server.http.get("/storage/datasets/x")
    assert (storage.status_code, storage.headers["content-type"]) == (status, "application/xml")


async def test_a_quota_refusal_names_its_figures(server: Server) -> None:
    switch(server, "quota-exceeded", parameters={"quotaRequired": 16, "quotaAvailable": 4})
    details = (await server.http.get(DATASETS)).json()["details"]
    assert details[0]["metadata"]["quota_required"] == "16"
    assert details[0]["metadata"]["quota_available"] == "4"


@pytest.mark.parametrize("kind", ["bad-gateway", "fault-filter-abort"])
async def test_the_edge_answers_no_json(server: Server, kind: str) -> None:
    switch(server, kind)
    answer = await server.http.get(DATASETS)
    assert answer.status_code == {"bad-gateway": 502, "fault-filter-abort": 404}[kind]
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize(("parameters", "header"), [({}, None), ({"retryAfter": 2}, "2")])
async def test_a_rate_limit_comes_with_and_without_retry_after(
    server: Server, parameters: dict[str, Any], header: str | None
) -> None:
    switch(server, "rate-limited", parameters=parameters)
    assert (await server.http.get(DATASETS)).headers.get("retry-after") == header


async def test_latency_waits_and_then_serves(server: Server) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    switch(server, "latency", parameters={"seconds": 2.5})
    transport = httpx.ASGITransport(create_app(server.service, sleep))
    async with httpx.AsyncClient(transport=transport, base_url="http://local", headers=KEY) as http:
        assert (await http.get(DATASETS)).status_code == 200
    assert waited == [2.5]


@pytest.mark.parametrize(("kind", "made"), [("reset", 0), ("lost-answer", 1), ("cut-answer", 1)])
async def test_a_broken_connection_is_before_or_after_the_effect(
    server: Server, kind: str, made: int
) -> None:
    switch(server, kind, f"{DATASETS}", method="post", count=1)
    with pytest.raises(ConnectionResetError):
        await server.post("/datasets", {"datasetId": "d", "dataset": {}})
    assert (await server.get("/datasets"))["totalSize"] == made


async def test_a_stream_breaks_after_its_first_piece(server: Server) -> None:
    switch(server, "cut-answer", "*/chat/completions")
    sent: list[bytes] = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def keep_body(message: Any) -> None:
            sent.append(message.get("body", b""))
            await send(message)

        await create_app(server.service)(scope, receive, keep_body)

    transport = httpx.ASGITransport(watched)
    async with httpx.AsyncClient(transport=transport, base_url="http://local", headers=KEY) as http:
        with pytest.raises(ConnectionResetError):
            await http.post("/v1/chat/completions", json=CHAT | {"stream": True})
    assert next(body.count(b"data: ") for body in sent if body) == 1
    assert b"[DONE]" not in b"".join(sent)


async def test_method_path_and_count_narrow_a_switch(server: Server) -> None:
    switch(server, "unavailable", f"{ROOT}/data*", method="GET", count=1, after=1)
    answers = [(await server.http.get(DATASETS)).status_code for _ in range(3)]
    assert answers == [200, 503, 200]
    assert (await server.http.get(f"{ROOT}/models")).status_code == 200
    await server.post("/datasets", {"datasetId": "d", "dataset": {}})
    (fault,) = all_faults(server.service.store)
    assert (fault.seen, fault.hits) == (3, 1)


def test_a_seed_makes_the_same_sequence_and_another_seed_another() -> None:
    def sequence(seed: int) -> list[bool]:
        fault = Fault(kind="reset", probability=0.3, seed=seed)
        return [fault.strikes() for _ in range(200)]

    assert sequence(1) == sequence(1) != sequence(2)
    assert 40 <= sum(sequence(1)) <= 80


async def test_the_admin_call_adds_replaces_lists_and_removes(server: Server) -> None:
    http = server.http
    del http.headers["Authorization"]
    made = (await http.post("/admin/faults", json={"kind": "reset", "id": "a", "path": "/v1/none"})).json()
    assert (made["id"], made["probability"], made["hits"]) == ("a", 1.0, 0)
    again = {"kind": "latency", "id": "a", "parameters": {"seconds": 0.1}, "hits": 7}
    assert (await http.post("/admin/faults", json=again)).json()["hits"] == 0
    other = (await http.post("/admin/faults", content='{"kind": "job-stall"}')).json()["id"]
    listed = (await http.get("/admin/faults")).json()
    assert {fault["id"] for fault in listed["faults"]} == {"a", other}
    assert "lost-answer" in listed["kinds"]
    assert (await http.delete("/admin/faults/a")).json() == {}
    assert (await http.delete("/admin/faults/a")).status_code == 404
    await http.delete("/admin/faults")
    assert (await http.get("/admin/faults")).json()["faults"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "gremlins"},
        {"kind": "reset", "probability": 2},
        {"kind": "reset", "pth": "/v1"},
        {"kind": "latency", "parameters": {"seconds": -1}},
        {"kind": "latency", "parameters": {"seconds": 1e9}},
        {"kind": "rate-limited", "parameters": {"retryAfter": "Infinity"}},
        {"kind": "latency", "parameters": {"seconds": "NaN"}},
        {"kind": "reset", "count": 2**70},
        [1],
    ],
)
async def test_a_switch_that_makes_no_sense_is_refused(server: Server, body: Any) -> None:
    assert (await server.http.post("/admin/faults", json=body)).status_code == 400


async def test_a_stored_switch_that_cannot_be_read_is_skipped_and_can_be_removed(server: Server) -> None:
    store = server.service.store
    store.keep_fact(PREFIX + "old", '{"id":"old","kind":"latency","parameters":{"seconds":null}}')
    keep(store, Fault(id="good", kind="job-stall"))
    assert [fault["id"] for fault in (await server.http.get("/admin/faults")).json()["faults"]] == ["good"]
    assert (await server.http.delete("/admin/faults/old")).status_code == 200
    assert list(store.facts(PREFIX)) == [PREFIX + "good"]


async def test_forms_of_the_page_work_without_scripts(server: Server) -> None:
    form = {"kind": "latency", "path": "/v1/*", "method": "*", "count": "", "parameters.seconds": "0.5"}
    added = await server.http.post("/admin/faults", data=form)
    assert (added.status_code, added.headers["location"]) == (303, "/#faults")
    (fault,) = all_faults(server.service.store)
    assert fault.parameters.seconds == 0.5
    assert (await server.http.post(f"/admin/faults/{fault.id}:remove", data={"x": "1"})).status_code == 303
    switch(server, "reset")
    await server.http.post("/admin/faults:clear", data={"x": "1"})
    assert all_faults(server.service.store) == []


async def test_other_sites_and_other_networks_may_not_switch(server: Server) -> None:
    foreign = await server.http.get("/admin/faults", headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    own = await server.http.get("/admin/faults", headers={"Origin": "http://local"})
    assert own.status_code == 200
    far = httpx.ASGITransport(create_app(server.service), client=("8.8.8.8", 1))
    async with httpx.AsyncClient(transport=far, base_url="http://local") as http:
        assert (await http.get("/admin/faults")).status_code == 403


def test_a_file_of_switches_is_read_or_named_as_faulty(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text('{"faults": [{"kind": "reset"}, {"kind": "latency", "id": "slow"}]}')
    assert [fault.id for fault in read_faults(file)] == ["file-1", "slow"]
    for content, words in (("[{}]", "kind"), ("{", "not a file of faults"), ('[{"kind": "x"}]', "unknown")):
        file.write_text(content)
        with pytest.raises(ApiError, match=words):
            read_faults(file)


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("job-dataset-invalid", "INVALID_ARGUMENT", "DATASET_INVALID"),
        ("job-exhausted", "RESOURCE_EXHAUSTED", "capacity"),
        ("job-internal", "INTERNAL", "Internal error"),
    ],
)
async def test_a_struck_job_fails_without_a_process(server: Server, kind: str, code: str, words: str) -> None:
    switch(server, kind, f"{ROOT}{JOBS}*")
    await server.job()
    server.tick(times=4)
    job = await server.get(f"{JOBS}/job-1")
    assert (job["state"], job["status"]["code"]) == ("JOB_STATE_FAILED", code)
    assert words in job["status"]["message"]
    assert server.runs.started == []


async def test_a_stalled_job_stays_at_0_percent_until_it_is_cancelled(server: Server) -> None:
    switch(server, "job-stall", parameters={"seconds": 0})
    await server.job()
    server.tick(4000, times=3)
    job = await server.get(f"{JOBS}/job-1")
    assert (job["state"], job["jobProgress"]["percent"]) == ("JOB_STATE_RUNNING", 0)
    await server.post(f"{JOBS}/job-1:cancel")
    server.tick()
    assert await server.state() == "CANCELLED"


@pytest.mark.parametrize(
    ("kind", "state"), [("job-stall", "RUNNING"), ("job-requeued", "RE_QUEUEING"), ("job-paused", "PAUSED")]
)
async def test_a_held_job_trains_after_all(server: Server, kind: str, state: str) -> None:
    switch(server, kind, count=1, parameters={"seconds": 30})
    await server.job()
    server.tick()
    assert (await server.state(), server.runs.started) == ("RUNNING", [])
    server.tick(31)
    assert await server.state() == state
    if state == "PAUSED":
        server.tick(1000, times=3)
        assert await server.state() == "PAUSED"
        await server.post(f"{JOBS}/job-1:resume")
    server.tick()
    folder = server.runs.started[-1]
    server.runs.report(folder, "writing", percent=100)
    server.runs.finish(folder, ok=True, tokens=10)
    server.tick(times=3)
    assert await server.state() == "COMPLETED"
