"""Fields that every kind of training job has, and the rules for their values (fireworks-api.md, 4.1, 5)."""

from __future__ import annotations

from pydantic import Field

from localfireworks.errors import invalid
from localfireworks.service import Message

LARGEST_RANK = 32
DEFAULT_RANK = 8
LARGEST_RATE = 100.0
SCHEDULES = frozenset({"constant", "linear", "cosine"})


class WandbConfig(Message):
    """Weights & Biases settings. The key is read so that it can be left out of everything."""

    enabled: bool = False
    api_key: str = Field("", exclude=True, repr=False)
    project: str = ""
    entity: str = ""
    run_id: str = ""
    url: str = ""


class TrainingFields(Message):
    """How to train, with the defaults of the service: flat in SFT jobs, `trainingConfig` in DPO jobs."""

    base_model: str = ""
    warm_start_from: str = ""
    output_model: str = ""
    epochs: int = 1
    learning_rate: float = 0.0
    learning_rate_warmup_steps: int = Field(0, ge=0)
    optimizer_weight_decay: float = Field(0.0, ge=0)
    lr_scheduler: dict[str, dict[str, float]] | None = None
    lora_rank: int | None = None
    max_context_length: int = Field(0, ge=0)
    batch_size_samples: int = Field(0, ge=0)
    sampler_checkpoint_save_interval_steps: int = Field(0, ge=0)
    region: str = "REGION_UNSPECIFIED"
    # Deprecated in Training V2.
    batch_size: int = 0
    gradient_accumulation_steps: int = 0
    jinja_template: str = ""


def check_rank(rank: int) -> None:
    if rank == 0:
        raise invalid("lora_rank 0 asks for full-parameter tuning, which no managed shape supports; use LoRA")
    if not 0 < rank <= LARGEST_RANK or rank & (rank - 1):
        raise invalid(f"invalid lora_rank {rank}: must be a power of two from 1 to {LARGEST_RANK}")


def refuse_deprecated(given: dict[str, bool]) -> None:
    """INVALID_ARGUMENT for the first field that is set and that Training V2 does not take."""
    for name, present in given.items():
        if present:
            raise invalid(f"{name} is deprecated and not supported by Training V2: leave it out")


def check_training(fields: TrainingFields) -> None:
    """All that can be said without looking at other resources; INVALID_ARGUMENT for the first fault."""
    if bool(fields.base_model) == bool(fields.warm_start_from):
        raise invalid("exactly one of base_model and warm_start_from must be set")
    refuse_deprecated(
        {
            "batch_size": fields.batch_size != 0,
            "gradient_accumulation_steps": fields.gradient_accumulation_steps != 0,
            "jinja_template": fields.jinja_template != "",
        }
    )
    if fields.lora_rank is not None:
        check_rank(fields.lora_rank)
    if fields.epochs < 1:
        raise invalid(f"invalid epochs {fields.epochs}: must be a whole number of at least 1")
    if not 0 <= fields.learning_rate <= LARGEST_RATE:
        raise invalid(f"invalid learning_rate {fields.learning_rate}: above 0, at most {LARGEST_RATE}")
    if fields.lr_scheduler is not None and (
        len(fields.lr_scheduler) != 1 or not SCHEDULES.issuperset(fields.lr_scheduler)
    ):
        raise invalid("invalid lr_scheduler: give exactly one of constant, linear, cosine")
