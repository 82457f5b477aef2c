"""Batch inference: what is asked, how it ends, what is left when it does not."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from localfireworks.batch_files import Answer, AnswerFile
from localfireworks.batch_runs import WIDTH
from localfireworks.jobs import Supervisor
from tests.unit.localfireworks.conftest import QWEN, SERVERLESS, Server

PLACE = "accounts/rehearsal/datasets"


def line(number: int, text: str = "one two", **body: Any) -> dict[str, Any]:
    return {"custom_id": f"q{number}", "body": {"messages": [{"role": "user", "content": text}], **body}}


async def dataset(server: Server, id_: str, rows: list[Any]) -> str:
    """A READY dataset of these lines; texts are taken as they are."""
    await server.post("/datasets", {"datasetId": id_, "dataset": {}})
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    files = {"file": ("in.jsonl", "\n".join(texts).encode())}
    response = await server.http.post(f"/v1/accounts/rehearsal/datasets/{id_}:upload", files=files)
    assert response.status_code == 200, response.text
    return f"{PLACE}/{id_}"


async def start(server: Server, rows: list[Any], id_: str = "b", **more: Any) -> dict[str, Any]:
    body = {
        "model": QWEN,
        "inputDatasetId": await dataset(server, f"in-{id_}", rows),
        "outputDatasetId": f"{PLACE}/out-{id_}",
        **more,
    }
    return await server.post("/batchInferenceJobs", body, batchInferenceJobId=id_)


async def look(server: Server, id_: str = "b") -> dict[str, Any]:
    return await server.get(f"/batchInferenceJobs/{id_}")


async def ended(server: Server, id_: str = "b") -> dict[str, Any]:
    """The job once it is over."""
    for _ in range(400):
        server.tick()
        await asyncio.sleep(0.001)
        job = await look(server, id_)
        if job["state"].removeprefix("JOB_STATE_") in ("COMPLETED", "FAILED", "CANCELLED", "EXPIRED"):
            return job
    pytest.fail(f"{job['state']} for ever")


async def output(server: Server, id_: str = "b") -> dict[str, list[dict[str, Any]]]:
    """Rows of the output dataset by file."""
    urls = (await server.get(f"/datasets/out-{id_}:getDownloadEndpoint"))["filenameToSignedUrls"]
    files = {}
    for name, url in urls.items():
        request = server.http.build_request("GET", url)
        del request.headers["authorization"]
        text = (await server.http.send(request)).text
        files[name] = [json.loads(each) for each in text.splitlines()]
    return files


async def test_every_line_is_answered_once_in_an_order_of_its_own(server: Server) -> None:
    count = WIDTH + 6
    made = await start(server, [line(number) for number in range(count)], displayName="Answers")
    assert made["state"] == "JOB_STATE_CREATING"
    assert made["jobProgress"]["totalInputRequests"] == count
    job = await ended(server)
    assert job["state"] == "JOB_STATE_COMPLETED"
    counts = {key: value for key, value in job["jobProgress"].items() if value}
    assert counts == {
        "percent": 100, "totalInputRequests": count, "totalProcessedRequests": count, "outputRows": count,
        "successfullyProcessedRequests": count, "inputTokens": 2 * count, "outputTokens": 3 * count,
    }  # fmt: skip
    files = await output(server)
    ids = [row["custom_id"] for row in files["results.jsonl"]]
    assert Counter(ids) == Counter(f"q{number}" for number in range(count))
    assert ids != sorted(ids, key=lambda each: int(each[1:]))
    assert files["errors.jsonl"] == []
    response = files["results.jsonl"][0]["response"]
    assert response["choices"][0]["message"]["content"] == "small one two "
    assert response["model"] == QWEN
    dataset = await server.get("/datasets/out-b")
    assert (dataset["state"], dataset["exampleCount"]) == ("READY", str(count))
    assert dataset["sourceJobName"] == job["name"]
    assert "userUploaded" not in dataset
    assert f"<span>{count} of {count}</span>" in (await server.http.get("/")).text


@pytest.mark.parametrize(
    ("row", "custom_id", "said"),
    [
        ("no json", "line-1", "not JSON"),
        ({"body": {}}, "line-1", "no custom_id"),
        ({"custom_id": "x"}, "x", "body must be an object"),
        ({"custom_id": "x", "body": {"messages": []}}, "x", "messages"),
        (line(0, temperature=3), "q0", "temperature"),
        (line(0, "word " * 50), "q0", "context length"),
    ],
)
async def test_a_faulty_line_goes_to_the_error_file(
    server: Server, row: Any, custom_id: str, said: str
) -> None:
    await start(server, [row, line(1)])
    job = await ended(server)
    progress = job["jobProgress"]
    assert (progress["failedRequests"], progress["successfullyProcessedRequests"]) == (1, 1)
    files = await output(server)
    error = files["errors.jsonl"][0]
    assert (error["custom_id"], said in error["error"]["message"]) == (custom_id, True)
    assert [each["custom_id"] for each in files["results.jsonl"]] == ["q1"]


async def test_an_id_that_appears_twice_is_answered_once(server: Server) -> None:
    await start(server, [line(1), line(1), line(2)])
    await ended(server)
    files = await output(server)
    assert sorted(each["custom_id"] for each in files["results.jsonl"]) == ["q1", "q2"]
    assert "appears twice" in files["errors.jsonl"][0]["error"]["message"]


async def test_parameters_hold_where_a_line_says_nothing(server: Server) -> None:
    parameters = {"maxTokens": 2, "topK": 5, "n": 2, "temperature": 0.5, "extraBody": '{"seed": 7}'}
    made = await start(server, [line(1), line(2, max_tokens=1)], inferenceParameters=parameters)
    assert made["inferenceParameters"] == parameters
    await ended(server)
    rows = {row["custom_id"]: row["response"] for row in (await output(server))["results.jsonl"]}
    assert [choice["message"]["content"] for choice in rows["q1"]["choices"]] == ["small one "] * 2
    assert rows["q2"]["choices"][0]["finish_reason"] == "length"
    assert rows["q2"]["usage"]["completion_tokens"] == 2
    calls = server.engine.loaded[0].calls
    assert {(call["temperature"], call["top_k"], call["seed"]) for call in calls} == {
        (0.5, 5, 7),
        (0.5, 5, 8),
    }


async def test_a_tuned_model_works_without_a_deployment(server: Server) -> None:
    await start(server, [line(1)], model=await server.trained())
    assert (await ended(server))["state"] == "JOB_STATE_COMPLETED"
    (row,) = (await output(server))["results.jsonl"]
    assert row["response"]["choices"][0]["message"]["content"].startswith("small+job-1-")


async def test_an_unknown_model_stays_pending_until_it_is_cancelled(server: Server) -> None:
    await start(server, [line(1)], model="accounts/fireworks/models/unknown")
    server.tick(times=20)
    assert (await look(server))["state"] == "JOB_STATE_PENDING"
    await server.post("/batchInferenceJobs/b:cancel")
    assert (await ended(server))["state"] == "JOB_STATE_CANCELLED"
    assert (await server.refused("/datasets/out-b", method="GET"))[0] == 404


def answer_some(server: Server, id_: str, *rows: int) -> None:
    """As if a server had answered these and died."""
    job = server.service.store.get(f"accounts/rehearsal/batchInferenceJobs/{id_}")
    assert job is not None
    file = AnswerFile(server.service.settings.folder("jobs", job.private["folder"]))
    for row in rows:
        file.add(
            Answer(row, ok=True, line={"custom_id": f"q{row}", "response": {"early": True}}, completion=5)
        )
    with file.path.open("ab") as broken:
        broken.write(b'{"row": 3, "ok": tr')


async def test_a_restart_asks_only_for_what_is_open(server: Server) -> None:
    await start(server, [line(number) for number in range(5)])
    server.tick(times=2)
    answer_some(server, "b", 0, 2)
    server.supervisor = Supervisor(server.service, server.supervisor.kinds)
    server.supervisor.recover()
    job = await ended(server)
    assert job["state"] == "JOB_STATE_COMPLETED"
    rows = (await output(server))["results.jsonl"]
    assert Counter(row["custom_id"] for row in rows) == Counter(f"q{number}" for number in range(5))
    assert {row["custom_id"] for row in rows if row["response"].get("early")} == {"q0", "q2"}
    assert len(server.engine.loaded[0].calls) == 3


async def test_an_expired_job_leaves_what_it_has_and_can_be_continued(server: Server) -> None:
    unknown = "accounts/rehearsal/models/later"
    await start(server, [line(number) for number in range(4)], model=unknown)
    server.tick(times=3)
    answer_some(server, "b", 1, 3)
    server.tick(seconds=24 * 3600)
    job = await look(server)
    assert (job["state"], job["status"]["code"]) == ("JOB_STATE_EXPIRED", "DEADLINE_EXCEEDED")
    assert len((await output(server))["results.jsonl"]) == 2
    body = {"continuedFromJobName": job["name"], "outputDatasetId": f"{PLACE}/out-c", "model": SERVERLESS}
    made = await server.post("/batchInferenceJobs", body, batchInferenceJobId="c")
    assert made["inputDatasetId"] == job["inputDatasetId"]
    assert made["jobProgress"]["totalInputRequests"] == 2
    assert (await ended(server, "c"))["state"] == "JOB_STATE_COMPLETED"
    assert {row["custom_id"] for row in (await output(server, "c"))["results.jsonl"]} == {"q0", "q2"}
    lineage = await server.get("/datasets/out-c:getDownloadEndpoint", downloadLineage="true")
    assert set(lineage["filenameToSignedUrls"]) == {
        "in-b/in.jsonl",
        *(f"{id_}/{name}" for id_ in ("out-b", "out-c") for name in ("results.jsonl", "errors.jsonl")),
    }
    refusal = await server.refused("/batchInferenceJobs", body | {"continuedFromJobName": made["name"]})
    assert (refusal[0], "nothing is left" in refusal[1]) == (400, True)


async def test_serverless_tokens_of_a_batch_cost_half(server: Server) -> None:
    await start(server, [line(number) for number in range(17)], model=SERVERLESS)
    await ended(server)
    now = server.clock()
    ((_, kind, model, _, amounts),) = server.service.store.usage(now - 7200, now + 1)
    assert (kind, model, amounts["prompt"], amounts["completion"]) == ("SERVERLESS", SERVERLESS, 34, 51)
    assert amounts["cost"] == "0.000006548"  # (34 x 0.07 + 51 x 0.30) / 1.35 / 2, per million


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"model": ""}, 400, "model is required"),
        ({"inputDatasetId": ""}, 400, "input_dataset_id is required"),
        ({"inputDatasetId": f"{PLACE}/none"}, 404, "not found"),
        ({"inputDatasetId": "bare"}, 400, "full name"),
        ({"outputDatasetId": "accounts/fireworks/datasets/x"}, 400, "your own account"),
        ({"outputDatasetId": f"{PLACE}/in-a"}, 409, "already exists"),
        ({"outputDatasetId": f"{PLACE}/out-a"}, 409, "already exists"),
        ({"inferenceParameters": {"extraBody": "{"}}, 400, "extra_body"),
        ({"inferenceParameters": {"extraBody": "[]"}}, 400, "JSON object"),
        ({"inferenceParameters": {"temperature": 3}}, 400, "temperature"),
        ({"continuedFromJobName": "accounts/rehearsal/batchInferenceJobs/a"}, 400, "only a job that is over"),
        ({"continuedFromJobName": "accounts/rehearsal/batchInferenceJobs/none"}, 404, "not found"),
        ({"displayName": "x" * 64}, 400, "display_name"),
    ],
)
async def test_what_cannot_work_is_refused(
    server: Server, fields: dict[str, Any], status: int, said: str
) -> None:
    await start(server, [line(1)], "a", model="unknown")
    body = {"model": QWEN, "inputDatasetId": f"{PLACE}/in-a", "outputDatasetId": f"{PLACE}/out-b", **fields}
    refusal = await server.refused("/batchInferenceJobs", body, batchInferenceJobId="b")
    assert (refusal[0], said in refusal[1]) == (status, True), refusal


async def test_an_id_is_taken_once_and_inputs_are_held(server: Server) -> None:
    await start(server, [line(1)], model="unknown")
    body = {"model": QWEN, "inputDatasetId": f"{PLACE}/in-b", "outputDatasetId": f"{PLACE}/other"}
    assert (await server.refused("/batchInferenceJobs", body, batchInferenceJobId="b"))[0] == 409
    status, message = await server.refused("/datasets/in-b", method="DELETE")
    assert (status, "in use by" in message) == (400, True)
    await server.http.delete("/v1/accounts/rehearsal/batchInferenceJobs/b")
    server.tick()
    assert (await server.refused("/batchInferenceJobs/b", method="GET"))[0] == 404


async def test_jobs_are_listed_in_the_order_of_their_making(server: Server) -> None:
    for id_ in ("z", "a"):
        await start(server, [line(1)], id_, model="unknown")
        server.clock.now += 1
    listed = (await server.get("/batchInferenceJobs"))["batchInferenceJobs"]
    assert [job["name"].rsplit("/")[-1] for job in listed] == ["z", "a"]
    assert listed[0]["jobProgress"]["totalInputRequests"] == 1


def test_publishing_shuffles_the_same_way_every_time(tmp_path: Path) -> None:
    file = AnswerFile(tmp_path)
    for row in range(20):
        file.add(Answer(row, ok=True, line={"custom_id": str(row)}))
    orders = []
    for seed in ("a", "a", "b"):
        file.publish(tmp_path, seed)
        lines = (tmp_path / "results.jsonl").read_text().splitlines()
        orders.append([orjson.loads(each)["custom_id"] for each in lines])
    assert orders[0] == orders[1] != orders[2]


async def test_a_poisonous_line_costs_itself_alone(server: Server) -> None:
    surrogate = '{"custom_id": "s", "body": {"messages": [{"role": "user", "content": "\\ud800"}]}}'
    message = {"role": "user", "content": "x"}
    calls = {"custom_id": "t", "body": {"messages": [message | {"tool_calls": "x"}]}}
    broken = line(8, messages=[{"role": "user"}])  # the test's model breaks off without a content
    await start(server, [line(0), surrogate, calls, broken, line(9)])
    job = await ended(server)
    assert job["state"] == "JOB_STATE_COMPLETED"
    files = await output(server)
    errors = {
        row["custom_id"]: row["error"]["code"] for rows in files.values() for row in rows if "error" in row
    }
    assert errors == {"line-2": "INVALID_ARGUMENT", "t": "INVALID_ARGUMENT", "q8": "INTERNAL"}
    answered = [row["custom_id"] for rows in files.values() for row in rows if "response" in row]
    assert sorted(answered) == ["q0", "q9"]


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', "[" * 100_000, '{"top_p": NaN}'])
async def test_extra_body_is_proper_json(server: Server, text: str) -> None:
    body = {
        "model": QWEN,
        "inputDatasetId": await dataset(server, "in", [line(0)]),
        "inferenceParameters": {"extraBody": text},
    }
    response = await server.http.post("/v1/accounts/rehearsal/batchInferenceJobs", json=body)
    assert response.status_code == 400
    assert "extra_body: not JSON" in response.json()["message"]
