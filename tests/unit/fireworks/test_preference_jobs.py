"""DPO and ORPO jobs: the nested body, idempotent creation, tolerant reading."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from workflows.fireworks import errors, preference_jobs

BASE = "/v1/accounts/acme/dpoJobs"
WANTED = preference_jobs.Preference(
    dataset="accounts/acme/datasets/pairs",
    output_model="accounts/acme/models/out",
    base_model="accounts/fireworks/models/qwen3-8b",
    beta=0.1,
    epochs=2,
    learning_rate=1e-5,
    batch_size_samples=4,
    display_name="candidate 1",
)
BODY = {
    "dataset": "accounts/acme/datasets/pairs",
    "displayName": "candidate 1",
    "lossConfig": {"method": "DPO", "dpo": {"beta": 0.1}},
    "trainingConfig": {
        "baseModel": "accounts/fireworks/models/qwen3-8b",
        "outputModel": "accounts/acme/models/out",
        "epochs": 2,
        "loraRank": 8,
        "learningRate": 1e-5,
        "batchSizeSamples": 4,
    },
}
THERE = {**BODY, "name": "accounts/acme/dpoJobs/j", "state": "JOB_STATE_RUNNING"}


def changed(raw, path, value):
    """`raw` with another value at a dotted path."""
    first, _, rest = path.partition(".")
    return {**raw, first: changed(raw[first], rest, value) if rest else value}


def test_the_training_settings_are_nested_and_the_method_is_said():
    assert preference_jobs.preference_body(WANTED) == BODY


@pytest.mark.parametrize(
    ("change", "loss"),
    [
        ({"beta": None}, {"method": "DPO"}),
        ({"beta": None, "method": "ORPO"}, {"method": "ORPO"}),
        ({"beta": None, "method": "ORPO", "odds_weight": 0.2}, {"method": "ORPO", "orpo": {"lambda": 0.2}}),
    ],
)
def test_each_method_takes_its_own_setting(change, loss):
    assert preference_jobs.preference_body(replace(WANTED, **change))["lossConfig"] == loss


def test_a_run_can_go_on_from_a_tuned_model():
    wanted = replace(WANTED, base_model="", warm_start_from="accounts/acme/models/sft")
    training = preference_jobs.preference_body(wanted)["trainingConfig"]
    assert "baseModel" not in training
    assert training["warmStartFrom"] == "accounts/acme/models/sft"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"method": "KTO"}, "DPO or ORPO, not KTO"),
        ({"beta": 0.5}, "between 0 and 0.5"),
        ({"beta": 0.0}, "between 0 and 0.5"),
        ({"method": "ORPO"}, "only its own"),
        ({"odds_weight": 0.1}, "only its own"),
        ({"lora_rank": 3}, "LoRA rank 3"),
        ({"epochs": 0}, "epochs"),
        ({"base_model": ""}, "exactly one"),
    ],
)
def test_what_fireworks_would_refuse_is_refused_here(change, fault):
    with pytest.raises(ValueError, match=fault):
        preference_jobs.preference_body(replace(WANTED, **change))


def test_the_id_goes_into_the_query(remote):
    remote.on(f"POST {BASE}", THERE)
    assert preference_jobs.create(remote.client(), "j", WANTED).word == "RUNNING"
    assert dict(remote.requests[0].url.params) == {"dpoJobId": "j"}
    assert remote.body(f"POST {BASE}") == BODY


@pytest.mark.parametrize("lost", [(409, {"code": 6}), httpx.ReadTimeout("t"), (500, {"code": 13})])
def test_an_earlier_attempt_of_ours_is_adopted(remote, lost):
    shown = changed(THERE, "trainingConfig.batchSizeSamples", None)  # servers leave fields out
    remote.on(f"POST {BASE}", lost).on(f"GET {BASE}/j", shown)
    assert preference_jobs.create(remote.client(), "j", WANTED).name == THERE["name"]
    assert len(remote.calls(f"POST {BASE}")) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lossConfig.dpo.beta", 0.2),
        ("lossConfig.method", "ORPO"),
        ("trainingConfig.learningRate", 1e-4),
        ("trainingConfig.baseModel", None),
        ("trainingConfig", None),
        ("dataset", "accounts/acme/datasets/other"),
    ],
)
def test_a_taken_name_of_another_run_is_a_conflict(remote, path, value):
    remote.on(f"POST {BASE}", (409, {"code": 6})).on(f"GET {BASE}/j", changed(THERE, path, value))
    with pytest.raises(errors.Conflict, match=path):
        preference_jobs.create(remote.client(), "j", WANTED)


def test_a_job_is_read_whole_and_an_unknown_state_survives():
    job = preference_jobs.parse(
        {**THERE, "state": "JOB_STATE_PONDERING", "createTime": "2026-10-08T00:00:00Z"}
    )
    assert (job.method, job.beta, job.base_model) == ("DPO", 0.1, WANTED.base_model)
    assert (job.epochs, job.learning_rate, job.lora_rank) == (2, 1e-5, 8)
    assert (job.word, job.over, job.created.year) == ("PONDERING", False, 2026)


def test_the_other_calls(remote):
    remote.on(f"GET {BASE}/j", THERE).on(f"GET {BASE}", {"dpoJobs": [THERE]})
    remote.on(f"POST {BASE}/j:cancel", {}).on(f"POST {BASE}/j:resume", {})
    remote.on(f"GET {BASE}/j:getMetricsFileEndpoint", {"signedUrl": "https://store.test/m?s=1"}, {})
    client = remote.client()
    assert preference_jobs.get(client, "j").name == THERE["name"]
    assert [job.name for job in preference_jobs.list_all(client)] == [THERE["name"]]
    preference_jobs.cancel(client, "j")
    preference_jobs.resume(client, "j")
    assert remote.body(f"POST {BASE}/j:cancel") == remote.body(f"POST {BASE}/j:resume") == {}
    urls = [preference_jobs.metrics_url(client, "j") for _ in range(2)]
    assert urls == ["https://store.test/m?s=1", ""]
