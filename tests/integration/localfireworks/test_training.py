"""The whole way with the real engine: train, look at the metrics, deploy, ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from localfireworks.engine.config import WEIGHTS
from localfireworks.rates import money, training_cost
from tests.integration.localfireworks.conftest import LocalServer, until

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not (WEIGHTS / "medium").is_dir(),
        reason="the stand-ins' weights are not here: train them with engine.pretrain",
    ),
]
BASE = "accounts/fireworks/models/qwen3-8b"
SAMPLE = "accounts/rehearsal/datasets/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = LocalServer(tmp_path_factory.mktemp("training"), options=("--token-budget", "40000"))
    made.start()
    yield made
    made.stop()
    made.http.close()


@pytest.fixture(scope="module")
def trained(server: LocalServer) -> dict[str, Any]:
    """A job on the ticket labels that came to its end."""
    server.job(
        "labels",
        dataset=SAMPLE + "ticket-labels",
        baseModel=BASE,
        epochs=2,
        learningRate=1e-4,
        loraRank=16,
        batchSizeSamples=16,
        evalAutoCarveout=True,
    )
    done = server.reaches("labels", "COMPLETED", "FAILED")
    assert done["state"] == "JOB_STATE_COMPLETED", done["status"]
    return done


def metrics(job: dict[str, Any]) -> list[dict[str, Any]]:
    text = httpx.get(job["metricsFileSignedUrl"]).raise_for_status().text
    return [json.loads(line) for line in text.splitlines()]


def ask(server: LocalServer, model: str, messages: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    body = {"model": model, "messages": messages, "temperature": 0, "max_tokens": 12} | more
    response = server.http.post("/inference/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def deployed(server: LocalServer, id_: str, model: str) -> str:
    body = {"baseModel": model, "deploymentShape": "default"}
    made = server.call("POST", "/deployments", json=body, params={"deploymentId": id_})
    path = f"/deployments/{id_}"
    until(lambda: server.call("GET", path)["state"] == "READY", "the deployment to be READY")
    return str(made["name"])


def test_losses_fall_and_tokens_stay_within_the_budget(trained: dict[str, Any]) -> None:
    lines = metrics(trained)
    losses = [line["train/loss"] for line in lines if "train/loss" in line]
    held = [line["eval/loss"] for line in lines if "eval/loss" in line]
    assert sum(losses[-5:]) / 5 < 0.75 * losses[0]
    assert (len(held), held[-1] < held[0]) == (2, True)
    assert 0 < trained["jobProgress"]["inputTokens"] <= 40_000
    assert trained["rehearsal"]["rowsUsed"] <= trained["rehearsal"]["rowsTotal"] == 360
    tokens = trained["jobProgress"]["inputTokens"]
    assert trained["estimatedCost"] == money(training_cost(tokens, 8_190_000_000))


def test_the_tuned_model_answers_otherwise_than_its_base(
    server: LocalServer, trained: dict[str, Any]
) -> None:
    rows = sample_rows(server, "ticket-labels")[:20]

    def answers(model: str) -> list[str]:
        asked = [ask(server, model, row["messages"][:-1], max_tokens=6) for row in rows]
        return [answer["choices"][0]["message"]["content"] for answer in asked]

    tuned = answers(deployed(server, "tuned", trained["outputModel"]))
    base = answers(deployed(server, "base", BASE))
    assert sum(one != other for one, other in zip(tuned, base, strict=True)) >= 15


def sample_rows(server: LocalServer, id_: str) -> list[dict[str, Any]]:
    urls = server.call("GET", f"/datasets/{id_}:getDownloadEndpoint")["filenameToSignedUrls"]
    return [json.loads(line) for line in httpx.get(next(iter(urls.values()))).text.splitlines()]


def pair(thing: str) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": f"What is {thing}?"}]},
        "preferred_output": [{"role": "assistant", "content": f"Dear friend, {thing} is nice."}],
        "non_preferred_output": [{"role": "assistant", "content": f"No idea about {thing}."}],
    }


def uploaded(server: LocalServer, id_: str, content: bytes) -> str:
    server.call("POST", "/datasets", json={"datasetId": id_, "dataset": {}})
    server.call("POST", f"/datasets/{id_}:upload", files={"file": (f"{id_}.jsonl", content)})
    return SAMPLE + id_


def test_preference_jobs_learn_from_pairs_and_their_models_can_be_deployed(server: LocalServer) -> None:
    rows = [pair(thing) for thing in ("apple", "rose", "grass", "leaf", "sky", "sea", "sun", "snow")]
    training = {"baseModel": BASE, "epochs": 4, "loraRank": 8, "learningRate": 1e-4}
    name = uploaded(server, "pairs", "\n".join(map(json.dumps, rows)).encode())
    body = {"dataset": name, "trainingConfig": training}
    losses = {"DPO": {"dpo": {"beta": 0.1}}, "ORPO": {"orpo": {"lambda": 0.5}}}
    for method, loss in losses.items():
        query = {"dpoJobId": f"by-{method.lower()}"}
        server.call("POST", "/dpoJobs", params=query, json=body | {"lossConfig": {"method": method, **loss}})
    for method in losses:
        learned_preferences(server, f"by-{method.lower()}")
    path = deployed(server, "preferred", "accounts/rehearsal/models/by-dpo")
    reply = ask(server, path, [{"role": "user", "content": "Where is my parcel?"}])
    assert reply["usage"]["completion_tokens"] > 0


def learned_preferences(server: LocalServer, id_: str) -> None:
    over = {"JOB_STATE_COMPLETED", "JOB_STATE_FAILED"}
    path = f"/dpoJobs/{id_}"
    done = until(lambda: (job := server.call("GET", path))["state"] in over and job, f"{id_} to end")
    assert done["state"] == "JOB_STATE_COMPLETED", done["status"]
    url = server.call("GET", f"{path}:getMetricsFileEndpoint")["signedUrl"]
    lines = [json.loads(line) for line in httpx.get(url).raise_for_status().text.splitlines()]
    assert [line["train/epoch"] for line in lines] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert lines[-1]["train/accuracy"] == 1.0
    model = server.call("GET", f"/models/{id_}")
    assert (model["kind"], model["peftDetails"]["r"]) == ("HF_PEFT_ADDON", 8)


def test_a_supervised_job_shows_some_rows_as_it_saw_them(trained: dict[str, Any]) -> None:
    text = httpx.get(trained["renderSamplesSignedUrl"]).raise_for_status().text
    records = [json.loads(line) for line in text.splitlines()]
    assert len(records) == 20
    assert "".join(records[0]["decoded_tokens"]).startswith("<|im_start|>")


def test_the_same_seed_gives_the_same_answer(server: LocalServer) -> None:
    messages = [{"role": "user", "content": "Where is my parcel?"}]
    model = "accounts/fireworks/models/gpt-oss-20b"
    texts = [
        ask(server, model, messages, temperature=1.0, seed=seed)["choices"][0]["message"]["content"]
        for seed in (5, 5, 6)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_a_stream_says_what_the_whole_answer_says(server: LocalServer) -> None:
    messages = [{"role": "user", "content": "Where is my parcel?"}]
    model = "accounts/fireworks/models/gpt-oss-20b"
    whole = ask(server, model, messages)["choices"][0]["message"]["content"]
    body = {"model": model, "messages": messages, "temperature": 0, "max_tokens": 12, "stream": True}
    text = server.http.post("/inference/v1/chat/completions", json=body).text
    chunks = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == whole


def test_rows_that_cannot_be_learned_fail_as_the_service_does(server: LocalServer) -> None:
    name = uploaded(server, "bad", b'{"messages": [{"role": "user", "content": "no answer"}]}\n' * 5)
    server.job("bad", dataset=name, baseModel=BASE)
    failed = server.reaches("bad", "COMPLETED", "FAILED")
    assert (failed["state"], failed["status"]["code"]) == ("JOB_STATE_FAILED", "INVALID_ARGUMENT")
    assert failed["status"]["message"].startswith("DATASET_INVALID")


def test_a_killed_job_continues_from_where_it_was(new_server: Callable[..., LocalServer]) -> None:
    server = new_server(options=("--token-budget", "12000"))
    server.start()
    server.job("a", dataset=SAMPLE + "support-replies", baseModel=BASE, epochs=2)
    until(lambda: server.look("a")["jobProgress"]["percent"] > 5, "some progress")
    server.stop()
    server.start()
    done = server.reaches("a", "COMPLETED", "FAILED")
    assert done["state"] == "JOB_STATE_COMPLETED"
    steps = [line["step"] for line in metrics(done) if "train/loss" in line]
    assert steps == sorted(set(steps))
