"""The body of a supervised fine-tuning job and the rules for its values (fireworks-api.md, 4.1)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from localfireworks.errors import invalid
from localfireworks.names import check_display_name
from localfireworks.training_fields import TrainingFields, WandbConfig, check_training, refuse_deprecated

WRAPPER = "supervisedFineTuningJob"
DEFAULT_LEARNING_RATE = 1e-4


class SftFields(TrainingFields):
    """All fields a client may send, with the defaults of the service."""

    dataset: str = ""
    display_name: str = ""
    evaluation_dataset: str = ""
    eval_auto_carveout: bool | None = None
    renderer_hugging_face_repo_id: str = ""
    thinking_trace_history_mode: str | None = None
    use_purpose: str = ""
    purpose: str | None = None
    reservation_target: str = ""
    wandb_config: WandbConfig | None = None
    aws_s3_config: dict[str, Any] | None = None
    azure_blob_storage_config: dict[str, Any] | None = None
    # Deprecated in Training V2: the first is refused, the others have no effect.
    mtp_enabled: bool = False
    mtp_num_draft_tokens: int = 0
    mtp_freeze_base_model: bool = False
    early_stop: bool = False
    use_reservation: bool = False
    nodes: int = Field(0, ge=0)
    is_turbo: bool = False


def unwrapped(body: Any) -> Any:
    """The fields of a body, which one example of the documentation puts below `supervisedFineTuningJob`."""
    inner = body.get(WRAPPER) if isinstance(body, dict) else None
    return body if inner is None else inner


def check_fields(fields: SftFields) -> None:
    """All that can be said without looking at other resources; INVALID_ARGUMENT for the first fault."""
    if not fields.dataset:
        raise invalid("dataset is required")
    refuse_deprecated({"mtp_enabled": fields.mtp_enabled})
    check_training(fields)
    check_display_name(fields.display_name)
