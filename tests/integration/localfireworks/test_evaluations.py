"""Evaluators built and run for real, and a batch that a killed server began."""

from __future__ import annotations

import io
import json
import signal
import tarfile
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.localfireworks.conftest import LocalServer, until

NewServer = Callable[..., LocalServer]
PLACE = "accounts/rehearsal"
SCORER = b"""
from eval_protocol.models import EvaluateResult, EvaluationRow, MetricResult
from eval_protocol.pytest import evaluation_test

print("loaded")

@evaluation_test(input_dataset=["rows.jsonl"], passed_threshold=0.5)
def score(row: EvaluationRow) -> EvaluationRow:
    said = row.last_assistant_message().content
    words = MetricResult(score=1 / len(said.split()), reason=f"{len(said.split())} words")
    row.evaluation_result = EvaluateResult(score=float(said == row.ground_truth), metrics={"brevity": words})
    return row
"""


def archive(**files: bytes) -> bytes:
    """A `.tar.gz`; `__` in a name is a slash, a last `_` a dot."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("__", "/").replace("_", "."))
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def put(server: LocalServer, path: str, name: str, content: bytes) -> None:
    """Upload one file by its signed URL, without a key."""
    sizes = {"filenameToSize": {name: str(len(content))}}
    url = server.call("POST", f"{path}:getUploadEndpoint", json=sizes)["filenameToSignedUrls"][name]
    length = f"{len(content)},{len(content)}"
    headers = {"Content-Type": "application/octet-stream", "X-Goog-Content-Length-Range": length}
    httpx.put(url, content=content, headers=headers).raise_for_status()
    server.call("POST", f"{path}:validateUpload", json={})


def rows(server: LocalServer, id_: str, lines: list[Any]) -> str:
    server.call("POST", "/datasets", json={"datasetId": id_, "dataset": {"exampleCount": str(len(lines))}})
    put(server, f"/datasets/{id_}", "rows.jsonl", "".join(json.dumps(each) + "\n" for each in lines).encode())
    return f"{PLACE}/datasets/{id_}"


def output(server: LocalServer, id_: str) -> dict[str, list[dict[str, Any]]]:
    urls = server.call("GET", f"/datasets/{id_}:getDownloadEndpoint")["filenameToSignedUrls"]
    return {
        name: [json.loads(line) for line in httpx.get(url).text.splitlines()] for name, url in urls.items()
    }


def build(server: LocalServer, id_: str, content: bytes) -> dict[str, Any]:
    """The evaluator once its build is over."""
    evaluator = {"displayName": id_, "entryPoint": "pkg/scorer.py::score"}
    server.call("POST", "/evaluatorsV2", json={"evaluator": evaluator, "evaluatorId": id_})
    put(server, f"/evaluators/{id_}", "code.tar.gz", content)
    look = lambda: server.call("GET", f"/evaluators/{id_}")  # noqa: E731
    return until(lambda: (made := look())["state"] != "BUILDING" and made, f"{id_} to be built")


def ended(server: LocalServer, path: str) -> dict[str, Any]:
    states = ("JOB_STATE_COMPLETED", "JOB_STATE_FAILED")
    return until(lambda: (job := server.call("GET", path))["state"] in states and job, f"{path} to end")


def test_an_evaluator_is_built_and_scores_a_dataset(new_server: NewServer):
    server = new_server(options=("--no-samples",))
    server.start()
    bare = build(server, "bare", archive(pkg__scorer_py=SCORER))
    assert (bare["state"], "requirements.txt is missing" in bare["status"]["message"]) == (
        "BUILD_FAILED",
        True,
    )
    broken = build(server, "broken", archive(requirements_txt=b"", pkg__scorer_py=b"import nothing_there"))
    assert broken["state"] == "BUILD_FAILED"
    log = server.call("GET", "/evaluators/broken:getBuildLogEndpoint")["buildLogSignedUri"]
    assert "No module named 'nothing_there'" in httpx.get(log).text
    good = build(server, "good", archive(requirements_txt=b"", pkg__scorer_py=SCORER))
    assert good["state"] == "ACTIVE", good

    said = ["yes", "no indeed", "yes"]
    lines = [
        {
            "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": text}],
            "ground_truth": "yes",
        }
        for text in said
    ]
    job = {
        "evaluator": good["name"],
        "inputDataset": rows(server, "in", lines),
        "outputDataset": f"{PLACE}/datasets/out",
    }
    server.call("POST", "/evaluationJobs", json={"evaluationJob": job, "evaluationJobId": "j"})
    done = ended(server, "/evaluationJobs/j")
    assert done["state"] == "JOB_STATE_COMPLETED", done
    assert done["metrics"] == {"score": 2 / 3, "brevity": 2.5 / 3}
    stats = json.loads(done["outputStats"])
    assert (stats["rows"], stats["passed"]) == (3, True)
    scored = output(server, "out")["results.jsonl"]
    assert [row["evaluation_result"]["score"] for row in scored] == [1, 0, 1]
    assert [row["messages"][-1]["content"] for row in scored] == said
    log = server.call("GET", "/evaluationJobs/j:getExecutionLogEndpoint")["executionLogSignedUri"]
    assert "loaded" in httpx.get(log).text


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_batch_survives_the_end_of_its_server(new_server: NewServer, how: signal.Signals):
    server = new_server(options=("--no-samples",))
    server.start()
    lines = [
        {
            "custom_id": f"q{n}",
            "body": {"messages": [{"role": "user", "content": f"Say {n}"}], "max_tokens": 12},
        }
        for n in range(600)
    ]
    body = {
        "model": "accounts/fireworks/models/standin-judge",  # answers without loading anything
        "inputDatasetId": rows(server, "in", lines),
        "outputDatasetId": f"{PLACE}/datasets/out",
    }
    server.call("POST", "/batchInferenceJobs", json=body, params={"batchInferenceJobId": "b"})
    look = lambda: server.call("GET", "/batchInferenceJobs/b")  # noqa: E731
    until(lambda: look()["jobProgress"]["totalProcessedRequests"] > 0, "the first answer")
    server.stop(how)
    server.start()
    done = ended(server, "/batchInferenceJobs/b")
    assert done["state"] == "JOB_STATE_COMPLETED", done
    assert done["jobProgress"]["successfullyProcessedRequests"] == 600
    ids = Counter(row["custom_id"] for row in output(server, "out")["results.jsonl"])
    assert ids == Counter(line["custom_id"] for line in lines)
