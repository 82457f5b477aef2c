"""What a training job of any kind does in its life: last check, job.json, and its result."""

from __future__ import annotations

from typing import Any

from localfireworks import datasets, jobs, usage
from localfireworks.catalogue import CATALOGUE, BaseModel
from localfireworks.errors import ApiError, already_exists
from localfireworks.models import add_lora
from localfireworks.rates import money, training_cost
from localfireworks.service import Service
from localfireworks.store import Resource

TARGET_MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
SEED = 42


def check(service: Service, job: Resource) -> dict[str, str] | None:
    """VALIDATING: what the job needs must still be there."""
    base_of(job)
    for field in ("dataset", "evaluationDataset"):
        name = job.body.get(field)
        if name and service.store.get(name) is None:
            return {"code": "INVALID_ARGUMENT", "message": f"DATASET_INVALID: {name} was deleted"}
    return None


def base_of(job: Resource) -> BaseModel:
    """The base model; NOT_FOUND when it came from a folder that this server was not started with."""
    base = CATALOGUE.get(job.private["base"])
    if base is None:
        message = f"{job.private['base']} is no longer offered: start the server with its --model again"
        raise ApiError("NOT_FOUND", message)
    return base


def specification(service: Service, job: Resource) -> dict[str, Any]:
    """What job.json of the training process has for every kind."""
    training = jobs.fields_of(job)
    return {
        "base": {"standin": base_of(job).standin},
        "compute": service.settings.compute,
        "adapter": job.private["adapter"],
        "dataset": paths(service, job.body["dataset"]),
        "epochs": training["epochs"],
        "learning_rate": training["learningRate"],
        "lora_rank": training["loraRank"],
        "max_context_length": training["maxContextLength"] or None,
        "batch_size_samples": training["batchSizeSamples"] or None,
        "lr_scheduler": training.get("lrScheduler"),
        "warmup_steps": training["learningRateWarmupSteps"],
        "weight_decay": training["optimizerWeightDecay"],
        "seed": SEED,
        "token_budget": job.private["budget"],
        "checkpoint_every_steps": training["samplerCheckpointSaveIntervalSteps"],
        "cache_dir": str(service.settings.folder("cache").resolve()),
    }


def paths(service: Service, name: str) -> list[str]:
    row = service.store.get(name) if name else None
    return [str(path) for path in datasets.files_of(service, row)] if row else []


def complete(service: Service, job: Resource, result: dict[str, Any], method: str) -> None:
    """Move the adapter to its place, store the model, finish the job: all of it or none."""
    base, training = base_of(job), jobs.fields_of(job)
    folder = jobs.job_folder(service, job)
    id_ = training["outputModel"].rsplit("/", 1)[1]
    stored = service.store.get(training["outputModel"])
    if stored is not None and stored.body.get("fineTuningJob") != job.name:
        raise already_exists(f"output_model {stored.name}")
    adapter = service.settings.folder("models").resolve() / job.private["folder"]
    if not adapter.exists():  # else a server died between the move and the database
        (folder / "adapter").rename(adapter)
    settings = jobs.read_state(adapter, "adapter_config.json")
    tokens = int(result.get("tokens") or 0)
    job.private["cost"] = money(training_cost(tokens, base.parameters, method))
    with service.store.transaction():
        if stored is None:
            add_lora(
                service,
                id_,
                base,
                rank=int(training["loraRank"]),
                modules=list(settings.get("target_modules") or TARGET_MODULES),
                adapter=adapter,
                job=job.name,
                title=job.body["displayName"] or id_,
            )
        usage.record_training(service, job, base.name, tokens, job.private["cost"])
        jobs.move(service, job, jobs.COMPLETED, running=False)
