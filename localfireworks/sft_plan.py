"""Checking a supervised fine-tuning request against what there is (fireworks-api.md, 4.1 and 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from localfireworks.errors import already_exists, invalid, not_found, precondition
from localfireworks.jobs import ACTIVE
from localfireworks.models import Servable, find_model
from localfireworks.names import check_id, full_name
from localfireworks.rates import training_cost
from localfireworks.service import Service
from localfireworks.sft_fields import DEFAULT_LEARNING_RATE, DEFAULT_RANK, SftFields, check_fields
from localfireworks.sft_work import COLLECTION
from localfireworks.store import Resource

FEWEST_ROWS, MOST_ROWS = 3, 3_000_000


@dataclass(frozen=True)
class Plan:
    """A checked job: what it reads and what it starts from."""

    fields: SftFields
    model: Servable
    dataset: Resource
    rank: int

    @property
    def tokens(self) -> int:
        """Rendered tokens times epochs, before any budget."""
        return int(self.dataset.body["estimatedTokenCount"]) * self.fields.epochs


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


def trainable_model(service: Service, fields: SftFields) -> Servable:
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


def plan(service: Service, fields: SftFields) -> Plan:
    """Check a whole request; raises what the service would answer."""
    check_fields(fields)
    model = trainable_model(service, fields)
    rank = fields.lora_rank or model.rank or DEFAULT_RANK
    if model.rank and rank != model.rank:
        raise invalid(f"invalid lora_rank {rank}: {model.name} has rank {model.rank}")
    dataset = ready_dataset(service, fields.dataset, "dataset", FEWEST_ROWS)
    if fields.evaluation_dataset:
        ready_dataset(service, fields.evaluation_dataset, "evaluation_dataset", 1)
    if dataset.private["rows"] * fields.epochs > MOST_ROWS:
        raise invalid(f"examples times epochs must not pass {MOST_ROWS}")
    return Plan(fields, model, dataset, rank)


def output_model(service: Service, given: str, job_id: str) -> str:
    """Full name of the model to be made; refused when that model exists."""
    prefix = f"accounts/{service.account}/models/"
    name = prefix + check_id(given.removeprefix(prefix) or job_id, "outputModel")
    coming = (job.body["outputModel"] for job in service.store.in_states(COLLECTION, ACTIVE))
    if service.store.get(name) is not None or name in coming:
        raise already_exists(f"output_model {name}")
    return name


def expected_cost(service: Service, tokens: int, model: Servable) -> Decimal:
    """What a job of so many tokens costs here: never more than the token budget is worth."""
    budget = service.settings.token_budget
    return training_cost(min(tokens, budget) if budget else tokens, model.base.parameters)


def stored_fields(made: Plan, output: str) -> dict[str, Any]:
    """The fields as the job shows them, defaults filled in, the W&B key left out."""
    body = made.fields.model_dump(by_alias=True, exclude_none=True)
    carve = made.fields.eval_auto_carveout
    return body | {
        "outputModel": output,
        "loraRank": made.rank,
        "learningRate": made.fields.learning_rate or DEFAULT_LEARNING_RATE,
        "evalAutoCarveout": not made.fields.evaluation_dataset if carve is None else carve,
        "maxContextLength": made.fields.max_context_length or made.model.base.context,
    }
