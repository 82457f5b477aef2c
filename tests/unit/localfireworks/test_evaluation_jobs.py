"""Evaluation jobs: what is asked, the output dataset, the log; the evaluation itself is on paper."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.localfireworks.conftest import Server
from tests.unit.localfireworks.test_evaluators import active, create

PLACE = "accounts/rehearsal"


async def start(server: Server, **fields: Any) -> dict[str, Any]:
    job = {
        "evaluator": await active(server),
        "inputDataset": await server.dataset("in", rows=3),
        "outputDataset": f"{PLACE}/datasets/out",
        **fields,
    }
    return await server.post("/evaluationJobs", {"evaluationJob": job, "evaluationJobId": "j"})


async def test_a_job_scores_its_rows_into_a_dataset(server: Server) -> None:
    made = await start(server, displayName="Scores")
    assert (made["state"], made["metrics"], made["outputStats"]) == ("JOB_STATE_CREATING", {}, "")
    build = server.runs.started[0]
    server.tick(times=3)
    folder = server.runs.started[-1]
    job = json.loads((folder / "job.json").read_text())
    assert (job["kind"], job["source"]) == ("evaluation", str(build / "source"))
    assert (job["entries"][0]["function"], job["unconfined"]) == ("evaluate", False)
    assert (await server.get("/evaluationJobs/j:getExecutionLogEndpoint")) == {"executionLogSignedUri": ""}
    server.runs.report(folder, "running", done=1, total=3)
    server.tick()
    assert (await server.get("/evaluationJobs/j"))["state"] == "JOB_STATE_RUNNING"
    (folder / "log.txt").write_text("said\n")
    (folder / "results.jsonl").write_text('{"evaluation_result": {"score": 1}}\n' * 3)
    (folder / "result.json").write_text(
        json.dumps({"ok": True, "rows": 3, "metrics": {"score": 1.0}, "stats": {"rows": 3}})
    )
    server.runs.report(folder, "writing")
    server.runs.living.discard(folder)
    server.tick(times=3)
    done = await server.get("/evaluationJobs/j")
    assert (done["state"], done["metrics"]) == ("JOB_STATE_COMPLETED", {"score": 1.0})
    assert json.loads(done["outputStats"]) == {"rows": 3}
    dataset = await server.get("/datasets/out")
    assert dataset["evaluationResult"] == {"evaluationJobId": done["name"]}
    assert (dataset["state"], dataset["exampleCount"], dataset["sourceJobName"]) == (
        "READY",
        "3",
        done["name"],
    )
    log = await server.get("/evaluationJobs/j:getExecutionLogEndpoint")
    assert (log["contentType"], log["expireTime"][-1]) == ("text/plain", "Z")
    lineage = await server.get("/datasets/out:getDownloadEndpoint", downloadLineage=True)
    assert set(lineage["filenameToSignedUrls"]) == {"out/results.jsonl", "in/data.jsonl"}
    del server.http.headers["Authorization"]
    assert (await server.http.get(log["executionLogSignedUri"])).text == "said\n"


async def test_a_failed_evaluation_says_why_and_makes_nothing(server: Server) -> None:
    await start(server)
    server.tick(times=3)
    folder = server.runs.started[-1]
    server.runs.finish(folder, ok=False, code="FAILED_PRECONDITION", message="it ended with status 1")
    server.tick()
    job = await server.get("/evaluationJobs/j")
    assert (job["state"], job["status"]["message"]) == ("JOB_STATE_FAILED", "it ended with status 1")
    assert (await server.refused("/datasets/out", method="GET"))[0] == 404


async def test_an_evaluator_and_a_dataset_in_use_stay(server: Server) -> None:
    await start(server)
    for path in ("/evaluators/e", "/datasets/in"):
        status, message = await server.refused(path, method="DELETE")
        assert (status, "in use by" in message) == (400, True)
    assert (await server.refused("/evaluationJobs/j:cancel"))[0] == 404
    assert (await server.http.delete(f"/v1/{PLACE}/evaluationJobs/j")).json() == {}
    server.tick()
    assert (await server.get("/evaluationJobs"))["evaluationJobs"] == []


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"evaluator": ""}, 400, "evaluator is required"),
        ({"inputDataset": ""}, 400, "input_dataset is required"),
        ({"outputDataset": ""}, 400, "output_dataset is required"),
        ({"evaluator": "e"}, 400, "full name"),
        ({"evaluator": f"{PLACE}/evaluators/none"}, 404, "not found"),
        ({"evaluator": f"{PLACE}/evaluators/raw"}, 400, "not ACTIVE"),
        ({"inputDataset": f"{PLACE}/datasets/none"}, 404, "not found"),
        ({"outputDataset": f"{PLACE}/datasets/in"}, 409, "already exists"),
        ({"displayName": "x" * 64}, 400, "display_name"),
    ],
)
async def test_what_cannot_work_is_refused(
    server: Server, fields: dict[str, Any], status: int, said: str
) -> None:
    await create(server, "raw")
    job = {
        "evaluator": await active(server),
        "inputDataset": await server.dataset("in"),
        "outputDataset": f"{PLACE}/datasets/out",
    }
    body = {"evaluationJob": job | fields, "evaluationJobId": "j"}
    refusal = await server.refused("/evaluationJobs", body)
    assert (refusal[0], said in refusal[1]) == (status, True), refusal


async def test_the_page_shows_evaluators_and_evaluations(server: Server) -> None:
    empty = (await server.http.get("/")).text
    assert "No evaluator yet." in empty
    assert "No evaluation yet." in empty
    await start(server)
    page = (await server.http.get("/")).text
    assert "<span>ACTIVE</span>" in page
    assert f"<span>{PLACE}/evaluators/e</span>" in page
