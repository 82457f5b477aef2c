"""SFT jobs: the flat body, idempotent creation, tolerant reading."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from workflows.fireworks import errors, jobs

BASE = "/v1/accounts/acme/supervisedFineTuningJobs"
TRAINING = jobs.Training(
    dataset="accounts/acme/datasets/train",
    output_model="accounts/acme/models/out",
    base_model="accounts/fireworks/models/qwen3-8b",
    evaluation_dataset="accounts/acme/datasets/held",
    epochs=3,
    learning_rate=1e-4,
    lora_rank=16,
    display_name="candidate 1",
)
THERE = {
    "name": "accounts/acme/supervisedFineTuningJobs/j",
    "state": "JOB_STATE_PENDING",
    "dataset": TRAINING.dataset,
    "baseModel": TRAINING.base_model,
    "outputModel": "out",
    "epochs": 3,
    "loraRank": "16",
    "learningRate": "0.0001",
}


def test_the_body_is_flat_with_an_evaluation_dataset():
    assert jobs.training_body(TRAINING) == {
        "dataset": "accounts/acme/datasets/train",
        "outputModel": "accounts/acme/models/out",
        "epochs": 3,
        "loraRank": 16,
        "evalAutoCarveout": False,
        "baseModel": "accounts/fireworks/models/qwen3-8b",
        "evaluationDataset": "accounts/acme/datasets/held",
        "learningRate": 1e-4,
        "displayName": "candidate 1",
    }


def test_without_an_evaluation_dataset_no_rows_are_carved_out():
    body = jobs.training_body(jobs.Training(dataset="d", output_model="m", base_model="b"))
    assert body == {
        "dataset": "d",
        "outputModel": "m",
        "epochs": 1,
        "loraRank": 8,
        "evalAutoCarveout": False,
        "baseModel": "b",
    }


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"lora_rank": 24}, "LoRA rank 24 is not one of 1, 2, 4, 8, 16, 32"),
        ({"lora_rank": 0}, "LoRA rank 0"),
        ({"epochs": 0}, "epochs"),
        ({"base_model": ""}, "exactly one"),
        ({"warm_start_from": "accounts/acme/models/x"}, "exactly one"),
    ],
)
def test_what_fireworks_would_refuse_is_refused_here(change, fault):
    from dataclasses import replace

    with pytest.raises(ValueError, match=fault):
        jobs.training_body(replace(TRAINING, **change))


def test_the_id_goes_into_the_query(remote):
    remote.on(f"POST {BASE}", THERE)
    assert jobs.create(remote.client(), "j", TRAINING).state == "JOB_STATE_PENDING"
    assert dict(remote.requests[0].url.params) == {"supervisedFineTuningJobId": "j"}
    assert remote.body(f"POST {BASE}") == jobs.training_body(TRAINING)


@pytest.mark.parametrize(
    "lost", [(409, {"code": 6, "message": "exists"}), httpx.ReadTimeout("t"), (500, {"code": 13})]
)
def test_an_earlier_attempt_of_ours_is_adopted(remote, lost):
    remote.on(f"POST {BASE}", lost).on(f"GET {BASE}/j", THERE)
    assert jobs.create(remote.client(), "j", TRAINING).name == THERE["name"]
    assert len(remote.calls(f"POST {BASE}")) == 1


def test_a_lost_create_that_had_no_effect_is_sent_again(remote):
    remote.on(f"POST {BASE}", httpx.ReadTimeout("t"), THERE).on(f"GET {BASE}/j", (404, {"code": 5}))
    assert jobs.create(remote.client(), "j", TRAINING).name == THERE["name"]
    assert len(remote.calls(f"POST {BASE}")) == 2


def test_a_create_that_stays_lost_is_unknown(remote):
    remote.on(f"POST {BASE}", httpx.ReadTimeout("t")).on(f"GET {BASE}/j", httpx.ConnectError("down"))
    with pytest.raises(errors.OutcomeUnknown):
        jobs.create(remote.client(), "j", TRAINING)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"learningRate": 5e-5}, "learningRate"),
        ({"baseModel": "accounts/fireworks/models/other"}, "baseModel"),
        ({"loraRank": 8}, "loraRank"),
        ({"dataset": None}, "dataset"),
    ],
)
def test_a_taken_name_of_another_run_is_a_conflict(remote, change, told):
    remote.on(f"POST {BASE}", (409, {"code": 6, "message": "exists"})).on(
        f"GET {BASE}/j", {**THERE, **change}
    )
    with pytest.raises(errors.Conflict, match=told):
        jobs.create(remote.client(), "j", TRAINING)


def test_a_name_that_is_taken_but_gone_is_a_conflict(remote):
    remote.on(f"POST {BASE}", (409, {"code": 6, "message": "exists"})).on(f"GET {BASE}/j", (404, {"code": 5}))
    with pytest.raises(errors.Conflict, match="deleted ids stay taken"):
        jobs.create(remote.client(), "j", TRAINING)


def test_a_refusal_is_passed_on_in_the_providers_words(remote):
    remote.on(f"POST {BASE}", (400, {"code": 3, "message": "model is not supported for fine-tuning"}))
    with pytest.raises(errors.Permanent) as caught:
        jobs.create(remote.client(), "j", TRAINING)
    assert caught.value.provider_message == "model is not supported for fine-tuning"


def test_a_job_is_read_whole():
    raw = {
        **THERE,
        "state": "JOB_STATE_COMPLETED",
        "jobProgress": {"percent": 100, "epoch": 2, "inputTokens": "12345"},
        "estimatedCost": {"currencyCode": "USD", "units": "0", "nanos": 359000000},
        "metricsFileSignedUrl": "https://store.test/m?sig=secret",
        "status": {"code": "OK", "message": ""},
        "createTime": "2026-10-08T00:00:00Z",
    }
    job = jobs.parse(raw)
    assert (job.over, job.succeeded, job.word) == (True, True, "COMPLETED")
    assert (job.progress.percent, job.progress.epoch, job.progress.input_tokens) == (100.0, 2, 12345)
    assert job.estimated_cost.amount == Decimal("0.359")
    assert (job.learning_rate, job.lora_rank) == (1e-4, 16)
    assert "secret" not in repr(job)


@pytest.mark.parametrize(
    ("state", "over", "succeeded"),
    [
        ("JOB_STATE_EARLY_STOPPED", True, True),
        ("JOB_STATE_FAILED", True, False),
        ("JOB_STATE_EXPIRED", True, False),
        ("JOB_STATE_CANCELLED", True, False),
        ("JOB_STATE_PAUSED", False, False),
        ("JOB_STATE_RE_QUEUEING", False, False),
        ("JOB_STATE_SOMETHING_NEW", False, False),
        ("", False, False),
    ],
)
def test_states_known_and_unknown(state, over, succeeded):
    job = jobs.parse({"name": "n", "state": state})
    assert (job.over, job.succeeded) == (over, succeeded)
    assert job.word


def test_estimates_create_nothing(remote):
    remote.on(f"POST {BASE}:estimateCost", {"estimatedCost": {"units": "2", "nanos": 500000000}})
    money = jobs.estimate_cost(remote.client(owns=lambda name: False), TRAINING)
    assert money.amount == Decimal("2.5")
    assert remote.body(f"POST {BASE}:estimateCost") == jobs.training_body(TRAINING)


def test_no_estimate_is_none_and_not_zero(remote):
    remote.on(f"POST {BASE}:estimateCost", {})
    assert jobs.estimate_cost(remote.client(), TRAINING) is None


def test_cancel_and_list(remote):
    remote.on(f"POST {BASE}/j:cancel", {}).on(
        f"GET {BASE}", {"supervisedFineTuningJobs": [THERE], "nextPageToken": ""}
    )
    client = remote.client()
    jobs.cancel(client, "j")
    assert [job.name for job in jobs.list_all(client)] == [THERE["name"]]
    assert remote.body(f"POST {BASE}/j:cancel") == {}
