"""What a supervised fine-tuning job does in its life: last check, job.json, and its result."""

from __future__ import annotations

from typing import Any

from localfireworks import datasets, jobs
from localfireworks.catalogue import CATALOGUE
from localfireworks.models import add_lora
from localfireworks.rates import money, training_cost
from localfireworks.service import Service
from localfireworks.store import Resource

COLLECTION = "supervisedFineTuningJobs"
TARGET_MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
SEED = 42


def check(service: Service, job: Resource) -> dict[str, str] | None:
    """VALIDATING: what the job needs must still be there."""
    for field in ("dataset", "evaluationDataset"):
        name = job.body.get(field)
        if name and service.store.get(name) is None:
            return {"code": "INVALID_ARGUMENT", "message": f"DATASET_INVALID: {name} was deleted"}
    return None


def specification(service: Service, job: Resource) -> dict[str, Any]:
    """job.json of the training process."""
    body = job.body
    return {
        "kind": "sft",
        "base": {"standin": CATALOGUE[job.private["base"]].standin},
        "adapter": job.private["adapter"],
        "dataset": _paths(service, body["dataset"]),
        "evaluation_dataset": _paths(service, body["evaluationDataset"]) or None,
        "epochs": body["epochs"],
        "learning_rate": body["learningRate"],
        "lora_rank": body["loraRank"],
        "max_context_length": body["maxContextLength"] or None,
        "batch_size_samples": body["batchSizeSamples"] or None,
        "lr_scheduler": body.get("lrScheduler"),
        "warmup_steps": body["learningRateWarmupSteps"],
        "weight_decay": body["optimizerWeightDecay"],
        "seed": SEED,
        "token_budget": job.private["budget"],
        "eval_carveout": body["evalAutoCarveout"] and not body["evaluationDataset"],
        "checkpoint_every_steps": body["samplerCheckpointSaveIntervalSteps"],
        "cache_dir": str(service.settings.folder("cache").resolve()),
    }


def _paths(service: Service, name: str) -> list[str]:
    row = service.store.get(name) if name else None
    return [str(path) for path in datasets.files_of(service, row)] if row else []


def complete(service: Service, job: Resource, result: dict[str, Any]) -> None:
    """Move the adapter to its place, store the model, finish the job: all of it or none."""
    base = CATALOGUE[job.private["base"]]
    folder = jobs.job_folder(service, job)
    id_ = job.body["outputModel"].rsplit("/", 1)[1]
    adapter = service.settings.folder("models").resolve() / job.private["folder"]
    if not adapter.exists():  # else a server died between the move and the database
        (folder / "adapter").rename(adapter)
    settings = jobs.read_state(adapter, "adapter_config.json")
    tokens = int(result.get("tokens") or 0)
    job.private["cost"] = money(training_cost(tokens, base.parameters))
    with service.store.transaction():
        if service.store.get(job.body["outputModel"]) is None:
            add_lora(
                service,
                id_,
                base,
                rank=int(job.body["loraRank"]),
                modules=list(settings.get("target_modules") or TARGET_MODULES),
                adapter=adapter,
                job=job.name,
                title=job.body["displayName"] or id_,
            )
        jobs.move(service, job, jobs.COMPLETED, running=False)


KIND = jobs.JobKind(COLLECTION, check, specification, complete)
