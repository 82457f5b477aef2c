"""Supervised and preference tuning jobs."""

from __future__ import annotations

from tests.integration.sdk.table import AT, HELD, LIST, NONE, NOTHING, QWEN, TRAIN, TUNED, Case, ours, sdk
from workflows.fireworks import jobs, preference_jobs

_SFT, _DPO = f"{AT}/supervisedFineTuningJobs", f"{AT}/dpoJobs"
TRAINING = jobs.Training(
    dataset=TRAIN,
    output_model=TUNED,
    base_model=QWEN,
    evaluation_dataset=HELD,
    epochs=3,
    learning_rate=1e-4,
    lora_rank=16,
    max_context_length=4096,
    batch_size_samples=8,
    warmup_steps=10,
    display_name="candidate",
)
TRAINING_ASKED = {
    "dataset": TRAIN,
    "output_model": TUNED,
    "base_model": QWEN,
    "evaluation_dataset": HELD,
    "epochs": 3,
    "learning_rate": 1e-4,
    "lora_rank": 16,
    "max_context_length": 4096,
    "batch_size_samples": 8,
    "learning_rate_warmup_steps": 10,
    "display_name": "candidate",
    "eval_auto_carveout": False,
}
FURTHER = jobs.Training(dataset=TRAIN, output_model=TUNED, warm_start_from=TUNED)

SFT = (
    Case("GET", _SFT, ours(jobs.list_all), sdk("supervised_fine_tuning_jobs.list", **LIST), "4"),
    Case("GET", f"{_SFT}/{{job}}", ours(jobs.get, "j"), sdk("supervised_fine_tuning_jobs.get", "j"), "4"),
    Case(
        "POST",
        f"{_SFT}:estimateCost",
        ours(jobs.estimate_cost, TRAINING),
        NONE,
        "4",
        "not in the SDK; the body is the job's",
    ),
    Case(
        "POST",
        _SFT,
        ours(jobs.create, "j", TRAINING),
        sdk("supervised_fine_tuning_jobs.create", supervised_fine_tuning_job_id="j", **TRAINING_ASKED),
        "4",
    ),
    Case(
        "POST",
        _SFT,
        ours(jobs.create, "j", FURTHER),
        sdk(
            "supervised_fine_tuning_jobs.create",
            supervised_fine_tuning_job_id="j",
            dataset=TRAIN,
            output_model=TUNED,
            warm_start_from=TUNED,
            epochs=1,
            lora_rank=8,
            eval_auto_carveout=False,
        ),
        "4",
        label="from a tuned model",
    ),
    Case(
        "POST",
        f"{_SFT}/{{job}}:cancel",
        ours(jobs.cancel, "j"),
        sdk("supervised_fine_tuning_jobs.cancel", "j", body=NOTHING),
        "4",
    ),
    Case(
        "POST",
        f"{_SFT}/{{job}}:resume",
        ours(jobs.resume, "j"),
        sdk("supervised_fine_tuning_jobs.resume", "j", body=NOTHING),
        "4",
    ),
)

DPO_WANTED = preference_jobs.Preference(
    dataset=TRAIN,
    output_model=TUNED,
    base_model=QWEN,
    beta=0.1,
    epochs=2,
    learning_rate=1e-5,
    max_context_length=4096,
    batch_size_samples=4,
    warmup_steps=5,
    display_name="pairs",
)
DPO_ASKED = {
    "dataset": TRAIN,
    "display_name": "pairs",
    "loss_config": {"method": "DPO", "dpo": {"beta": 0.1}},
    "training_config": {
        "output_model": TUNED,
        "base_model": QWEN,
        "epochs": 2,
        "learning_rate": 1e-5,
        "lora_rank": 8,
        "max_context_length": 4096,
        "batch_size_samples": 4,
        "learning_rate_warmup_steps": 5,
    },
}
ORPO_WANTED = preference_jobs.Preference(
    dataset=TRAIN, output_model=TUNED, base_model=QWEN, method="ORPO", odds_weight=0.2
)
ORPO_LOSS = {"method": "ORPO", "orpo": {"lambda": 0.2}}

DPO = (
    Case("GET", _DPO, ours(preference_jobs.list_all), sdk("dpo_jobs.list", **LIST), "5"),
    Case("GET", f"{_DPO}/{{job}}", ours(preference_jobs.get, "j"), sdk("dpo_jobs.get", "j"), "5"),
    Case(
        "GET",
        f"{_DPO}/{{job}}:getMetricsFileEndpoint",
        ours(preference_jobs.metrics_url, "j"),
        sdk("dpo_jobs.get_metrics_file_endpoint", "j"),
        "5",
    ),
    Case(
        "POST",
        _DPO,
        ours(preference_jobs.create, "j", DPO_WANTED),
        sdk("dpo_jobs.create", dpo_job_id="j", **DPO_ASKED),
        "5",
    ),
    Case(
        "POST",
        _DPO,
        ours(preference_jobs.create, "j", ORPO_WANTED),
        sdk(
            "dpo_jobs.create",
            dpo_job_id="j",
            dataset=TRAIN,
            extra_body={"lossConfig": ORPO_LOSS},
            training_config={"output_model": TUNED, "base_model": QWEN, "epochs": 1, "lora_rank": 8},
        ),
        "5",
        "`lossConfig.orpo` is newer than SDK 1.2.28, which sends it as `extra_body`",
        label="ORPO",
    ),
    Case(
        "POST",
        f"{_DPO}/{{job}}:cancel",
        ours(preference_jobs.cancel, "j"),
        sdk("dpo_jobs.cancel", "j", body=NOTHING),
        "5",
    ),
    Case(
        "POST",
        f"{_DPO}/{{job}}:resume",
        ours(preference_jobs.resume, "j"),
        sdk("dpo_jobs.resume", "j", body=NOTHING),
        "5",
    ),
)

CASES = (*SFT, *DPO)
