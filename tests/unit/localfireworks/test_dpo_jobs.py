"""Preference jobs: what is refused, what is shown, how they run and end."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from localfireworks.rates import FINER
from tests.unit.localfireworks.conftest import QWEN, Server

JOBS = "/dpoJobs"
DATASET = "accounts/rehearsal/datasets/d"


def body(loss: dict[str, Any] | None = None, **training: Any) -> dict[str, Any]:
    """A good request; a training field given as None is left out."""
    config = {key: value for key, value in ({"baseModel": QWEN} | training).items() if value is not None}
    return {"dataset": DATASET, "trainingConfig": config, "lossConfig": loss or {"method": "DPO"}}


async def started(server: Server, id_: str = "dpo-1", **change: Any) -> dict[str, Any]:
    await server.dataset("d")
    made = await server.post(JOBS, body() | change, dpoJobId=id_)
    server.tick(times=3)
    return made


@pytest.mark.parametrize(
    ("request_body", "words"),
    [
        (body() | {"dataset": ""}, "dataset is required"),
        (body(baseModel=None), "exactly one of base_model and warm_start_from"),
        ({"dataset": DATASET, "baseModel": QWEN}, "exactly one of"),  # flat, as an SFT job has it
        (body(batchSize=4), "batch_size is deprecated"),
        (body(gradientAccumulationSteps=2), "gradient_accumulation_steps is deprecated"),
        (body(jinjaTemplate="{{x}}"), "jinja_template is deprecated"),
        (body(loraRank=12), "power of two"),
        (body(epochs=0), "epochs"),
        (body(outputModel="-bad"), "outputModel"),
        (body({"method": "GRPO"}), "loss_config.method GRPO is not supported"),
        (body({"method": "GSPO_TOKEN"}), "loss_config.method GSPO_TOKEN is not supported"),
        (body({"method": "SOMEDAY"}), "loss_config.method SOMEDAY is not supported"),
        (body({"method": "DPO", "klBeta": 0.1}), "kl_beta is not for DPO"),
        (body({"method": "DPO", "dpo": {"beta": 0}}), "beta 0.0: must be above 0 and below 0.5"),
        (body({"method": "DPO", "dpo": {"beta": 0.5}}), "beta 0.5: must be above 0 and below 0.5"),
        (body({"method": "ORPO", "orpo": {"lambda": 0}}), "lambda 0.0: must be above 0"),
        (body() | {"displayName": "x" * 64}, "display_name must be fewer than 64"),
    ],
)
async def test_faulty_requests_are_refused_by_name(
    server: Server, request_body: dict[str, Any], words: str
) -> None:
    await server.dataset("d")
    status, message = await server.refused(JOBS, request_body)
    assert status == 400
    assert words in message


async def test_a_job_shows_only_what_the_real_one_has(server: Server) -> None:
    wandb = {"enabled": True, "apiKey": "SECRET", "project": "p"}
    made = await started(server, wandbConfig=wandb, evaluationDataset=DATASET, displayName="mine")
    assert set(made) == {
        "name", "displayName", "createTime", "dataset", "state", "status", "createdBy", "trainingConfig",
        "lossConfig", "wandbConfig", "trainerLogsSignedUrl", "rendererHuggingFaceRepoId", "reservationTarget",
    }  # fmt: skip
    assert made["state"] == "JOB_STATE_CREATING"
    assert made["trainingConfig"]["outputModel"] == "accounts/rehearsal/models/dpo-1"
    assert [made["trainingConfig"][key] for key in ("epochs", "loraRank", "learningRate")] == [1, 8, 1e-5]
    assert "SECRET" not in json.dumps(made)
    assert await server.get(f"{JOBS}/dpo-1", readMask="dataset") == {"dataset": DATASET}


@pytest.mark.parametrize(
    ("given", "shown", "trained"),
    [
        ({}, {"method": "DPO", "dpo": {"beta": 0.1}}, {"method": "DPO", "beta": 0.1}),
        (
            {"method": "METHOD_UNSPECIFIED", "dpo": {"beta": 0.3, "refCacheConcurrency": 4}},
            {"method": "DPO", "dpo": {"beta": 0.3, "refCacheConcurrency": 4}},
            {"method": "DPO", "beta": 0.3},
        ),
        ({"method": "ORPO"}, {"method": "ORPO", "orpo": {"lambda": 1.0}}, {"orpo_lambda": 1.0}),
        (
            {"method": "ORPO", "orpo": {"lambda": 0.25}},
            {"method": "ORPO", "orpo": {"lambda": 0.25}},
            {"method": "ORPO", "orpo_lambda": 0.25},
        ),
    ],
)
async def test_the_loss_is_filled_in_shown_and_trained(
    server: Server, given: dict[str, Any], shown: dict[str, Any], trained: dict[str, Any]
) -> None:
    made = await started(server, lossConfig=given)
    assert made["lossConfig"] == shown
    job = json.loads((server.runs.started[0] / "job.json").read_text())
    assert job.items() >= (trained | {"kind": "dpo", "base": {"standin": "small"}}).items()
    assert not {"evaluation_dataset", "eval_carveout"} & set(job)


async def test_a_job_without_a_loss_config_is_dpo(server: Server) -> None:
    await server.dataset("d")
    made = await server.post(JOBS, {"dataset": DATASET, "trainingConfig": {"baseModel": QWEN}})
    assert made["lossConfig"]["method"] == "DPO"


async def test_it_runs_makes_a_model_and_counts_at_the_price_of_dpo(server: Server) -> None:
    made = await started(server, **body(outputModel="tuned"))
    assert (await server.get(f"{JOBS}/dpo-1"))["state"] == "JOB_STATE_PENDING"
    server.runs.report(server.runs.started[0], "writing", percent=100)
    server.runs.finish(server.runs.started[0], ok=True, tokens=1_350_000)
    server.tick(times=3)
    done = await server.get(f"{JOBS}/dpo-1")
    assert (done["state"], "completedTime" in done) == ("JOB_STATE_COMPLETED", True)
    model = await server.get("/models/tuned")
    assert (model["kind"], model["fineTuningJob"]) == ("HF_PEFT_ADDON", made["name"])
    cost = server.service.store.get(made["name"]).private["cost"]  # type: ignore[union-attr]
    assert (cost["units"], cost["nanos"]) == ("1", 0)
    assert FINER * 1_000_000 == 1_350_000


async def test_metrics_are_behind_a_link_of_their_own(server: Server) -> None:
    await started(server)
    answer = await server.get(f"{JOBS}/dpo-1:getMetricsFileEndpoint")
    assert set(answer) == {"signedUrl"}
    del server.http.headers["Authorization"]
    assert (await server.http.get(answer["signedUrl"])).status_code == 404
    (server.runs.started[0] / "metrics.jsonl").write_text('{"step":1}\n')
    assert (await server.http.get(answer["signedUrl"])).json() == {"step": 1}


async def test_cancel_resume_list_and_delete(server: Server) -> None:
    await started(server)
    assert await server.post(f"{JOBS}/dpo-1:cancel") == {}
    server.runs.living.clear()
    server.tick()
    cancelled = await server.get(JOBS, filter='state="JOB_STATE_CANCELLED"')
    assert [job["name"] for job in cancelled["dpoJobs"]] == ["accounts/rehearsal/dpoJobs/dpo-1"]
    assert (await server.post(f"{JOBS}/dpo-1:resume"))["state"] == "JOB_STATE_RE_QUEUEING"
    nested = await server.get(JOBS, filter=f'training_config.base_model="{QWEN}"')
    assert nested["totalSize"] == 1
    await server.http.delete(f"/v1/accounts/rehearsal{JOBS}/dpo-1")
    server.tick()
    assert (await server.refused(f"{JOBS}/dpo-1", method="GET"))[0] == 404
    assert (await server.refused(f"{JOBS}:estimateCost", body()))[0] in {404, 405}


async def test_names_are_shared_with_supervised_jobs_where_they_make_the_same_thing(server: Server) -> None:
    sft = await server.job()
    await server.dataset("d")
    status, message = await server.refused(JOBS, body(outputModel=sft["outputModel"]))
    assert (status, "already exists" in message) == (409, True)
    await server.post(JOBS, body(outputModel="other"), dpoJobId="job-1")  # ids of another collection
    again = await server.refused(JOBS, body(), dpoJobId="job-1")
    assert again == (409, "accounts/rehearsal/dpoJobs/job-1 already exists")


async def test_a_supervised_result_can_be_continued_and_is_kept_meanwhile(server: Server) -> None:
    name = await server.trained()
    await server.dataset("d")
    await server.post(JOBS, body(baseModel=None, warmStartFrom=name), dpoJobId="dpo-1")
    server.tick(times=3)
    job = json.loads((server.runs.started[-1] / "job.json").read_text())
    assert job["adapter"].endswith(server.runs.started[0].name)
    in_use = await server.refused(name.removeprefix("accounts/rehearsal"), method="DELETE")
    assert "in use by accounts/rehearsal/dpoJobs/dpo-1" in in_use[1]
    used = await server.refused("/datasets/d", method="DELETE")
    assert "in use by" in used[1]


async def test_the_page_lists_all_kinds_of_jobs(server: Server) -> None:
    await server.job()
    await started(server, lossConfig={"method": "ORPO"})
    text = " ".join(re.sub("<[^>]+>", " ", (await server.http.get("/")).text).split())
    assert "job-1 SFT accounts/" in text
    assert "dpo-1 ORPO accounts/" in text
