"""The body of a preference job and the rules for its values (fireworks-api.md, 5)."""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field

from localfireworks.errors import invalid
from localfireworks.names import check_display_name
from localfireworks.service import Message
from localfireworks.training_fields import TrainingFields, WandbConfig, check_training

UNSPECIFIED, DPO, ORPO = "METHOD_UNSPECIFIED", "DPO", "ORPO"
DEFAULT_LEARNING_RATE = 1e-5
DEFAULT_BETA, LARGEST_BETA, DEFAULT_LAMBDA = 0.1, 0.5, 1.0


class DpoTraining(TrainingFields):
    """`trainingConfig`; the fields below are taken and have no effect here."""

    lora_alpha: float | None = None
    lora_dropout: float | None = None
    lora_target_modules: list[str] | None = None
    trainer_sharding_scheme: dict[str, Any] | str | None = None


class DpoLoss(Message):
    beta: float = DEFAULT_BETA
    ref_cache_concurrency: int | None = None
    ref_cache_batch_size: int | None = None


class OrpoLoss(Message):
    weight: float = Field(DEFAULT_LAMBDA, alias="lambda")


class LossConfig(Message):
    method: str = UNSPECIFIED
    kl_beta: float | None = None
    dpo: DpoLoss | None = None
    orpo: OrpoLoss | None = None


class DpoFields(Message):
    """All fields a client may send, with the defaults of the service."""

    dataset: str = ""
    display_name: str = ""
    training_config: DpoTraining = Field(default_factory=DpoTraining)
    loss_config: LossConfig = Field(default_factory=LossConfig)
    wandb_config: WandbConfig | None = None
    renderer_hugging_face_repo_id: str = ""
    thinking_trace_history_mode: str | None = None
    reservation_target: str = ""
    aws_s3_config: dict[str, Any] | None = None
    azure_blob_storage_config: dict[str, Any] | None = None


def resolved_loss(given: LossConfig) -> LossConfig:
    """The loss with its method and the parameter of that method filled in; INVALID_ARGUMENT for a fault."""
    method = DPO if given.method == UNSPECIFIED else given.method
    if method not in (DPO, ORPO):
        raise invalid(f"loss_config.method {given.method} is not supported by preference jobs: DPO or ORPO")
    if given.kl_beta:
        raise invalid(f"loss_config.kl_beta is not for {method}: leave it out")
    if method == ORPO:
        orpo = given.orpo or OrpoLoss()
        if not 0 < orpo.weight < math.inf:
            raise invalid(f"invalid loss_config.orpo.lambda {orpo.weight}: must be above 0")
        return given.model_copy(update={"method": method, "orpo": orpo})
    dpo = given.dpo or DpoLoss()
    if not 0 < dpo.beta < LARGEST_BETA:
        raise invalid(f"invalid loss_config.dpo.beta {dpo.beta}: must be above 0 and below {LARGEST_BETA}")
    return given.model_copy(update={"method": method, "dpo": dpo})


def check_fields(fields: DpoFields) -> None:
    """All that can be said without looking at other resources; INVALID_ARGUMENT for the first fault."""
    if not fields.dataset:
        raise invalid("dataset is required")
    check_training(fields.training_config)
    check_display_name(fields.display_name)
    resolved_loss(fields.loss_config)
