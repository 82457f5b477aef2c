"""Checking a training request of any kind against what there is (fireworks-api.md, 4.1 and 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from localfireworks import jobs
from localfireworks.errors import already_exists, invalid, not_found, precondition
from localfireworks.models import Servable, find_model
from localfireworks.names import check_id, full_name, new_id
from localfireworks.rates import money, training_cost
from localfireworks.service import Service
from localfireworks.store import Resource
from localfireworks.training_fields import DEFAULT_RANK, TrainingFields

FEWEST_ROWS, MOST_ROWS = 3, 3_000_000


@dataclass(frozen=True)
class Plan:
    """A checked job: what it reads and what it starts from."""

    training: TrainingFields
    model: Servable
    dataset: Resource
    rank: int

    @property
    def tokens(self) -> int:
        """Rendered tokens times epochs, before any budget."""
        return int(self.dataset.body["estimatedTokenCount"]) * self.training.epochs


def ready_dataset(service: Service, name: str, field: str, fewest: int) -> Resource:
    """A dataset fit to be used by a job, else the refusal of the service."""
    row = service.store.get(full_name(name, "datasets", field))
    if row is None:
        raise not_found(name)
    if row.state != "READY":
        raise precondition(f"{name} is {row.state}, not READY: finish its upload first")
    if row.private["rows"] < fewest:
        raise invalid(
            f"{name} has {row.private['rows']} examples: at least {fewest} are needed",
            reason="DATASET_INVALID",
        )
    return row


def trainable_model(service: Service, fields: TrainingFields) -> Servable:
    """The base model or the adapter to continue, when tuning it is supported."""
    name = fields.base_model or fields.warm_start_from
    model = find_model(service, name)
    if model is None:
        raise not_found(name)
    if fields.base_model and model.adapter is not None:
        raise invalid(f"base_model {name} is a PEFT addon: continue it with warm_start_from")
    if fields.warm_start_from and model.adapter is None:
        raise invalid(f"warm_start_from {name} is a base model: name it in base_model")
    if not model.base.accepts_training:
        raise invalid(f"model {model.base.name} is not supported for fine-tuning")
    if fields.max_context_length > model.base.context:
        raise invalid(
            f"invalid max_context_length {fields.max_context_length}: "
            f"{model.base.name} trains with at most {model.base.context}"
        )
    return model


def plan(service: Service, dataset: str, training: TrainingFields) -> Plan:
    """Check what all kinds have in common; raises what the service would answer."""
    model = trainable_model(service, training)
    rank = training.lora_rank or model.rank or DEFAULT_RANK
    if model.rank and rank != model.rank:
        raise invalid(f"invalid lora_rank {rank}: {model.name} has rank {model.rank}")
    row = ready_dataset(service, dataset, "dataset", FEWEST_ROWS)
    if row.private["rows"] * training.epochs > MOST_ROWS:
        raise invalid(f"examples times epochs must not pass {MOST_ROWS}")
    return Plan(training, model, row, rank)


def output_model(service: Service, given: str, job_id: str) -> str:
    """Full name of the model to be made; refused when that model exists or is about to."""
    prefix = f"accounts/{service.account}/models/"
    name = prefix + check_id(given.removeprefix(prefix) or job_id, "outputModel")
    if service.store.get(name) is not None or jobs.active_maker(service, name) is not None:
        raise already_exists(f"output_model {name}")
    return name


def stored_training(made: Plan, output: str, learning_rate: float) -> dict[str, Any]:
    """The training fields as the job shows them, defaults filled in; `learning_rate` is the kind's own."""
    return made.training.model_dump(by_alias=True, exclude_none=True) | {
        "outputModel": output,
        "loraRank": made.rank,
        "learningRate": made.training.learning_rate or learning_rate,
        "maxContextLength": made.training.max_context_length or made.model.base.context,
    }


def expected_cost(service: Service, made: Plan, method: str) -> Decimal:
    """What a job is expected to cost here: what the token budget is worth at the most. Rows that share a long
    beginning may come to more."""
    budget = service.settings.token_budget
    tokens = min(made.tokens, budget) if budget else made.tokens
    return training_cost(tokens, made.model.base.parameters, method)


def new_job(service: Service, collection: str, id_: str | None) -> Resource:
    """A row for a job that is about to be created; refused when the id is taken."""
    job = service.new(collection, check_id(id_ or new_id(), "job id"), jobs.CREATING, {})
    if service.store.get(job.name) is not None:
        raise already_exists(job.name)
    return job


def insert_job(service: Service, job: Resource, made: Plan, body: dict[str, Any], method: str) -> Resource:
    """Store the job; `method` is the column of the price table."""
    job.body = body | {"createdBy": f"{service.account}@localhost", "status": jobs.OK_STATUS}
    job.private |= {
        "entered": job.created,
        "folder": f"{job.id}-{new_id()}",
        "base": made.model.base.name,
        "adapter": str(made.model.adapter) if made.model.adapter else None,
        "rows": made.dataset.private["rows"],
        "cost": money(expected_cost(service, made, method)),
        "budget": service.settings.token_budget,
    }
    return service.store.insert(job)
