"""Supervised fine-tuning jobs: what is refused, how states follow, how jobs end and come back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localfireworks.jobs import Supervisor
from localfireworks.rates import FINER
from tests.unit.localfireworks.conftest import QWEN, Server

JOBS = "/supervisedFineTuningJobs"
PUBLIC = "accounts/fireworks/models/"


async def refused(server: Server, **change: Any) -> tuple[int, str]:
    """A refusal of an otherwise good request; a field given as None is left out."""
    body: dict[str, Any] = {"dataset": "accounts/rehearsal/datasets/d", "baseModel": QWEN} | change
    return await server.refused(JOBS, {k: v for k, v in body.items() if v is not None})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dataset": None}, "dataset is required"),
        ({"dataset": "d"}, "full name"),
        ({"baseModel": None}, "exactly one of base_model and warm_start_from"),
        ({"warmStartFrom": "accounts/rehearsal/models/m"}, "exactly one of"),
        ({"baseModel": PUBLIC + "gpt-oss-20b"}, "not supported for fine-tuning"),
        ({"baseModel": PUBLIC + "qwen2p5-7b-instruct"}, "not supported for fine-tuning"),
        ({"baseModel": PUBLIC + "llama-v3p2-3b-instruct"}, "not supported for fine-tuning"),
        ({"baseModel": None, "warmStartFrom": QWEN}, "is a base model"),
        ({"loraRank": 24}, "power of two"),
        ({"loraRank": 64}, "power of two"),
        ({"loraRank": -8}, "power of two"),
        ({"loraRank": 0}, "full-parameter"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"learningRate": -1}, "learning_rate"),
        ({"batchSize": 4}, "batch_size is deprecated"),
        ({"gradientAccumulationSteps": 2}, "gradient_accumulation_steps is deprecated"),
        ({"jinjaTemplate": "{{x}}"}, "jinja_template is deprecated"),
        ({"mtpEnabled": True}, "mtp_enabled is deprecated"),
        ({"displayName": "x" * 64}, "display_name must be fewer than 64"),
        ({"lrScheduler": {"step": {}}}, "lr_scheduler"),
        ({"lrScheduler": {"linear": {}, "cosine": {}}}, "lr_scheduler"),
        ({"maxContextLength": 10**7}, "max_context_length"),
        ({"outputModel": "-bad"}, "outputModel"),
        ({"epochs": 1_000_000}, "3000000"),
    ],
)
async def test_faulty_requests_are_refused_by_name(
    server: Server, change: dict[str, Any], words: str
) -> None:
    await server.dataset("d")
    status, message = await refused(server, **change)
    assert status == 400
    assert words in message


async def test_missing_things_are_not_found(server: Server) -> None:
    assert (await refused(server))[0] == 404
    await server.dataset("d")
    assert (await refused(server, baseModel=PUBLIC + "none"))[0] == 404
    assert (await refused(server, evaluationDataset="accounts/rehearsal/datasets/none"))[0] == 404


async def test_a_dataset_must_be_ready_and_have_three_rows(server: Server) -> None:
    await server.post("/datasets", {"datasetId": "d", "dataset": {"exampleCount": "50"}})
    assert "is UPLOADING, not READY" in (await refused(server))[1]
    await server.dataset("two", rows=2)
    body = {"dataset": "accounts/rehearsal/datasets/two", "baseModel": QWEN}
    response = await server.http.post(f"/v1/accounts/rehearsal{JOBS}", json=body)
    assert (response.status_code, response.json()["details"][0]["reason"]) == (400, "DATASET_INVALID")


async def test_defaults_are_filled_in_and_the_wandb_key_is_not_kept(server: Server) -> None:
    made = await server.job(wandbConfig={"enabled": True, "apiKey": "SECRET", "project": "p"}, someday=1)
    assert (made["epochs"], made["loraRank"], made["learningRate"]) == (1, 8, 1e-4)
    assert made["outputModel"] == "accounts/rehearsal/models/job-1"
    assert (made["evalAutoCarveout"], made["wandbConfig"]["project"]) == (True, "p")
    assert "SECRET" not in json.dumps(made)
    assert "SECRET" not in (server.runs.started[0] / "job.json").read_text()


async def test_a_body_may_be_wrapped_as_one_example_of_the_documentation_has_it(server: Server) -> None:
    name = await server.dataset("d")
    wrapped = {"supervisedFineTuningJob": {"dataset": name, "baseModel": QWEN, "epochs": 2}}
    made = await server.post(JOBS, wrapped, supervisedFineTuningJobId="job-1")
    assert (made["name"].rsplit("/", 1)[1], made["epochs"]) == ("job-1", 2)
    flat = await server.post(f"{JOBS}:estimateCost", wrapped["supervisedFineTuningJob"])
    assert await server.post(f"{JOBS}:estimateCost", wrapped) == flat
    assert (await server.refused(JOBS, {"supervisedFineTuningJob": []}))[0] == 400


async def test_every_documented_field_is_taken_and_shown(server: Server) -> None:
    given = {
        "displayName": "title",
        "learningRateWarmupSteps": 3,
        "optimizerWeightDecay": 0.01,
        "lrScheduler": {"linear": {"minLrRatio": 0.1, "decayRatio": 0.5}},
        "maxContextLength": 4096,
        "batchSizeSamples": 8,
        "samplerCheckpointSaveIntervalSteps": 10,
        "rendererHuggingFaceRepoId": "Qwen/Qwen3-8B",
        "thinkingTraceHistoryMode": "PRESERVED",
        "usePurpose": "pilot",
        "purpose": "PURPOSE_PILOT",
        "awsS3Config": {"credentialsSecret": "s", "iamRoleArn": "r"},
        "azureBlobStorageConfig": {"tenantId": "t"},
        "region": "US_IOWA_1",
        "reservationTarget": "target",
        "earlyStop": False,
        "useReservation": True,
        "nodes": 2,
        "isTurbo": True,
        "mtpNumDraftTokens": 1,
        "mtpFreezeBaseModel": True,
    }
    made = await server.job(**given)
    assert {key: made[key] for key in given} == given
    assert made.keys() >= {
        "state", "status", "createdBy", "createTime", "updateTime", "estimatedCost", "jobProgress",
        "metricsFileSignedUrl", "trainerLogsSignedUrl", "renderSamplesSignedUrl", "encryptionState",
    }  # fmt: skip


async def test_ids_are_unique_and_made_when_missing(server: Server) -> None:
    made = await server.job()
    body = {"dataset": made["dataset"], "baseModel": QWEN}
    again = await server.refused(JOBS, body, supervisedFineTuningJobId="job-1")
    assert again == (409, "accounts/rehearsal/supervisedFineTuningJobs/job-1 already exists")
    other = await server.post(JOBS, body)
    assert other["name"].rsplit("/")[-1][0] == "r"
    taken = await server.refused(JOBS, body | {"outputModel": made["outputModel"]})
    assert taken[0] == 409


async def test_the_states_follow_each_other_and_a_model_appears(server: Server) -> None:
    name = await server.dataset("d", rows=100)
    body = {"dataset": name, "baseModel": QWEN, "epochs": 2, "outputModel": "mine", "evalAutoCarveout": False}
    made = await server.post(JOBS, body, supervisedFineTuningJobId="job-1")
    seen = [made["state"].removeprefix("JOB_STATE_")]
    for _ in range(3):
        server.tick()
        seen.append(await server.state())
    folder = server.runs.started[0]
    server.runs.report(folder, "validating")
    server.tick()
    seen.append(await server.state())
    server.runs.report(folder, "running", percent=50, epoch=1, input_tokens=70, total_tokens=140, rows_used=9)
    server.tick()
    running = await server.get(f"{JOBS}/job-1")
    seen.append(running["state"].removeprefix("JOB_STATE_"))
    assert running["jobProgress"]["inputTokens"] == 70
    assert running["rehearsal"] == {
        "tokenBudget": "2000000",
        "totalTokens": "140",
        "rowsUsed": 9,
        "rowsTotal": 100,
        "rowsCutOff": 0,
    }
    server.runs.finish(folder, ok=True, tokens=140_000)
    server.tick()
    seen.append(await server.state())
    server.tick()
    seen.append(await server.state())
    assert seen == [
        "CREATING", "VALIDATING", "PENDING", "PENDING", "PENDING", "RUNNING", "WRITING_RESULTS", "COMPLETED",
    ]  # fmt: skip
    done = await server.get(f"{JOBS}/job-1")
    assert done["estimatedCost"] == {"currencyCode": "USD", "units": "0", "nanos": 51_851_852}
    assert (done["jobProgress"]["percent"], "completedTime" in done) == (100, True)
    model = await server.get("/models/mine")
    assert (model["kind"], model["state"]) == ("HF_PEFT_ADDON", "READY")
    assert model["peftDetails"] == {"baseModel": QWEN, "r": 8, "targetModules": ["q_proj"]}
    assert model["fineTuningJob"] == done["name"]


async def test_the_job_file_has_what_training_needs(server: Server) -> None:
    held = await server.dataset("held")
    await server.job(
        epochs=3,
        learningRate=2e-4,
        loraRank=16,
        evaluationDataset=held,
        learningRateWarmupSteps=5,
        lrScheduler={"cosine": {"minLrRatio": 0.1}},
        batchSizeSamples="4",
        maxContextLength=2048,
    )
    job = json.loads((server.runs.started[0] / "job.json").read_text())
    assert job["base"] == {"standin": "small"}
    assert [job[key] for key in ("epochs", "learning_rate", "lora_rank", "seed")] == [3, 2e-4, 16, 42]
    assert [job[key] for key in ("warmup_steps", "batch_size_samples", "max_context_length")] == [5, 4, 2048]
    assert (job["eval_carveout"], len(job["evaluation_dataset"])) == (False, 1)
    assert (job["adapter"], job["token_budget"]) == (None, 2_000_000)


@pytest.mark.parametrize(
    ("field", "file"),
    [("metricsFileSignedUrl", "metrics.jsonl"), ("renderSamplesSignedUrl", "render_samples.jsonl")],
)
async def test_files_are_missing_first_and_need_no_key(server: Server, field: str, file: str) -> None:
    await server.job()
    url = (await server.get(f"{JOBS}/job-1"))[field]
    del server.http.headers["Authorization"]
    assert (await server.http.get(url)).status_code == 404
    (server.runs.started[0] / file).write_text('{"step":1}\n')
    assert (await server.http.get(url)).json() == {"step": 1}
    assert (await server.http.get(url.replace("Signature=", "Signature=0"))).status_code == 403


async def test_only_so_many_jobs_run_at_once_and_the_oldest_goes_first(server: Server) -> None:
    for number in range(3):
        server.clock.now += 1
        await server.job(f"job-{number}")
    assert len(server.runs.started) == 2
    assert await server.state("job-2") == "PENDING"
    server.runs.finish(server.runs.started[0], ok=False, code="INTERNAL", message="x")
    server.tick(times=2)
    assert "job-2" in server.runs.started[2].name


async def test_a_fault_of_the_data_fails_the_job_with_its_reason(server: Server) -> None:
    await server.job()
    fault = {"code": "INVALID_ARGUMENT", "reason": "DATASET_INVALID", "message": "row 3 has no messages"}
    server.runs.finish(server.runs.started[0], ok=False, **fault)
    server.tick()
    status = (await server.get(f"{JOBS}/job-1"))["status"]
    assert status == {"code": "INVALID_ARGUMENT", "message": "DATASET_INVALID: row 3 has no messages"}
    assert await server.state() == "FAILED"


async def test_a_crash_is_tried_once_more_and_then_masked(server: Server) -> None:
    await server.job()
    folder = server.runs.started[0]
    server.runs.living.clear()
    server.tick()
    assert await server.state() == "RE_QUEUEING"
    server.tick()
    assert server.runs.started == [folder, folder]
    server.runs.living.clear()
    (folder / "log.txt").write_text("out of memory")
    server.tick()
    failed = await server.get(f"{JOBS}/job-1")
    assert failed["status"] == {"code": "INTERNAL", "message": "Internal error"}
    del server.http.headers["Authorization"]
    assert (await server.http.get(failed["trainerLogsSignedUrl"])).text == "out of memory"


async def test_cancel_asks_then_forces_and_keeps_the_record(server: Server) -> None:
    await server.job()
    folder = server.runs.started[0]
    assert await server.post(f"{JOBS}/job-1:cancel") == {}
    assert await server.state() == "CANCELLING"
    server.tick(times=2)
    assert server.runs.asked == [(folder, False)] * 2
    server.tick(10)
    assert server.runs.asked[-1] == (folder, True)
    server.tick()
    assert await server.state() == "CANCELLED"
    assert (await server.refused(f"{JOBS}/job-1:cancel"))[0] == 400


async def test_a_stopped_job_resumes_in_its_folder(server: Server) -> None:
    await server.job()
    assert (await server.refused(f"{JOBS}/job-1:resume"))[0] == 400
    await server.post(f"{JOBS}/job-1:cancel")
    server.runs.living.clear()
    server.tick()
    resumed = await server.post(f"{JOBS}/job-1:resume")
    assert resumed["state"] == "JOB_STATE_RE_QUEUEING"
    server.tick()
    assert len(set(server.runs.started)) == 1
    assert len(server.runs.started) == 2


async def test_a_model_that_a_job_will_make_cannot_be_created(server: Server) -> None:
    made = await server.job()
    body = {"modelId": made["outputModel"].rsplit("/", 1)[1], "model": {"peftDetails": {"baseModel": QWEN}}}
    status, message = await server.refused("/models", body)
    assert (status, "job-1" in message) == (409, True)


async def test_a_job_whose_model_name_was_taken_fails_and_cannot_resume(server: Server) -> None:
    made = await server.job()
    await server.post(f"{JOBS}/job-1:cancel")
    server.runs.living.clear()
    server.tick()
    id_ = made["outputModel"].rsplit("/", 1)[1]
    await server.post("/models", {"modelId": id_, "model": {"peftDetails": {"baseModel": QWEN}}})
    assert (await server.refused(f"{JOBS}/job-1:resume"))[0] == 409

    job = server.service.store.get(f"accounts/rehearsal{JOBS}/job-1")
    assert job is not None
    job.state, job.private["running"] = "JOB_STATE_WRITING_RESULTS", True
    server.service.save(job, was="JOB_STATE_CANCELLED")
    server.runs.finish(server.runs.started[0], ok=True, tokens=5)
    server.tick()
    failed = await server.get(f"{JOBS}/job-1")
    assert (failed["state"], failed["status"]["code"]) == ("JOB_STATE_FAILED", "ALREADY_EXISTS")


async def test_a_deleted_job_ends_its_process_first(server: Server) -> None:
    await server.job()
    folder = server.runs.started[0]
    await server.http.delete(f"/v1/accounts/rehearsal{JOBS}/job-1")
    assert await server.state() == "DELETING"
    server.runs.living.clear()
    server.tick()
    assert (await server.refused(f"{JOBS}/job-1", method="GET"))[0] == 404
    assert not folder.exists()


async def test_a_warm_start_continues_the_adapter_and_its_rank(server: Server) -> None:
    name = await server.trained()
    body = {"dataset": "accounts/rehearsal/datasets/for-job-1", "warmStartFrom": name}
    assert "has rank 8" in (await server.refused(JOBS, body | {"loraRank": 16}))[1]
    assert (
        "is a PEFT addon" in (await server.refused(JOBS, {"dataset": body["dataset"], "baseModel": name}))[1]
    )
    await server.post(JOBS, body, supervisedFineTuningJobId="job-2")
    server.tick(times=3)
    job = json.loads((server.runs.started[-1] / "job.json").read_text())
    assert job["adapter"].endswith(server.runs.started[0].name)
    in_use = await server.refused(name.removeprefix("accounts/rehearsal"), method="DELETE")
    assert "in use by" in in_use[1]


async def test_cost_is_estimated_like_the_job_and_capped_by_the_budget(server: Server) -> None:
    name = await server.dataset("d", rows=1000, text="word " * 500)
    body = {"dataset": name, "baseModel": PUBLIC + "qwen3-32b"}
    tokens = int((await server.get("/datasets/d"))["estimatedTokenCount"])
    cost = (await server.post(f"{JOBS}:estimateCost", body))["estimatedCost"]
    nanos = int(cost["units"]) * 10**9 + cost["nanos"]
    assert nanos == round(tokens * 3000 / FINER)
    capped = (await server.post(f"{JOBS}:estimateCost", body | {"epochs": 5}))["estimatedCost"]
    assert (capped["units"], capped["nanos"]) == ("4", 444_444_444)


async def test_jobs_come_back_after_a_restart(server: Server) -> None:
    await server.job()
    supervisor = Supervisor(server.service, server.supervisor.kinds)
    supervisor.recover()  # the process lives: it is kept
    server.tick()
    assert len(server.runs.started) == 1
    server.runs.living.clear()
    supervisor.recover()  # the machine was off: it runs again, and no retry is spent
    assert await server.state() == "RE_QUEUEING"
    server.tick()
    assert len(server.runs.started) == 2
    server.runs.living.clear()
    server.tick(times=2)
    assert len(server.runs.started) == 3


async def test_an_orderly_end_of_the_server_puts_jobs_back_in_the_queue(server: Server) -> None:
    await server.job()
    assert server.supervisor.suspend() == server.runs.started
    assert (await server.state(), server.runs.asked) == ("RE_QUEUEING", [(server.runs.started[0], False)])


async def test_a_dataset_that_vanished_fails_the_validation(server: Server) -> None:
    name = await server.dataset("d")
    await server.post(JOBS, {"dataset": name, "baseModel": QWEN}, supervisedFineTuningJobId="job-1")
    server.service.store.delete(name)
    server.tick(times=2)
    assert "was deleted" in (await server.get(f"{JOBS}/job-1"))["status"]["message"]
