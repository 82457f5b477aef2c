"""The body of a deployment and what it stands for (fireworks-api.md, 6.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from localfireworks.errors import invalid, not_found
from localfireworks.model_uploads import Precision
from localfireworks.models import Servable, find_model
from localfireworks.names import check_display_name, seconds_of
from localfireworks.service import Message, Service
from localfireworks.shapes import Shape, matching, named, shapes_of

ACCELERATORS = {  # GB of memory
    "NVIDIA_A100_80GB": 80,
    "NVIDIA_H100_80GB": 80,
    "NVIDIA_H200_141GB": 141,
    "NVIDIA_B200_180GB": 180,
    "NVIDIA_B300_288GB": 288,
    "AMD_MI300X_192GB": 192,
    "AMD_MI325X_256GB": 256,
    "AMD_MI350X_288GB": 288,
}
WEIGHTS_SHARE = 0.9  # of the memory, the rest is for the cache
COUNTS = (1, 2, 4, 8, 16, 32)
INT32 = 2**31 - 1
SHORTEST_IDLE = 300.0
LONGEST_WINDOW = 3600.0
UNSPECIFIED = "ACCELERATOR_TYPE_UNSPECIFIED"


def a_time(value: str) -> str:
    """RFC 3339, as the API writes times."""
    if datetime.fromisoformat(value).tzinfo is None:
        raise ValueError("give a time with its zone, such as 2026-01-31T12:00:00Z")
    return value


Time = Annotated[str, AfterValidator(a_time)]


class Autoscaling(Message):
    """Windows as the API writes durations."""

    scale_up_window: str = "30s"
    scale_down_window: str = "600s"
    scale_to_zero_window: str = "3600s"
    load_targets: dict[str, float] = Field(default_factory=dict)


class Changeable(Message):
    """Taken at any time, and shown as given; what has an effect is named in docs/local-fireworks.md."""

    annotations: dict[str, str] | None = None
    auto_tune: dict[str, Any] | None = None
    cluster: str | None = None
    deployment_template: str | None = None
    direct_route_api_keys: list[str] | None = Field(None, exclude=True, repr=False)  # secrets
    direct_route_type: str | None = None
    disable_deployment_size_validation: bool | None = None
    draft_model: str | None = None
    draft_token_count: int | None = Field(None, ge=0, le=INT32)
    enable_hot_load: bool | None = None
    enable_mtp: bool | None = None
    enable_session_affinity: bool | None = None
    expire_time: Time | None = None
    hot_load_bucket_type: str | None = None
    hot_load_bucket_url: str | None = None
    max_with_revocable_replica_count: int | None = Field(None, ge=0, le=INT32)
    ngram_speculation_length: int | None = Field(None, ge=0, le=INT32)
    num_peft_device_cached: int | None = Field(None, ge=0, le=INT32)
    pricing_plan_id: str | None = None
    target_model_version: str | None = None


class DeploymentFields(Changeable):
    base_model: str = ""
    deployment_shape: str = ""
    display_name: str = ""
    description: str = ""
    min_replica_count: int = Field(0, ge=0, le=INT32)
    max_replica_count: int | None = Field(None, ge=0, le=INT32)
    autoscaling_policy: Autoscaling = Autoscaling()
    accelerator_type: str = ""
    accelerator_count: int = Field(0, ge=0, le=COUNTS[-1])
    precision: Precision | Literal[""] = ""
    enable_addons: bool = False
    enable_hot_reload_latest_addon: bool = False
    placement: dict[str, Any] = Field(default_factory=lambda: {"multiRegion": "GLOBAL"})
    max_context_length: int = Field(0, ge=0, le=INT32)


class DeploymentPatch(Changeable):
    deployment_shape: str | None = None
    display_name: str | None = None
    description: str | None = None
    min_replica_count: int | None = Field(None, ge=0, le=INT32)
    max_replica_count: int | None = Field(None, ge=0, le=INT32)
    autoscaling_policy: Autoscaling | None = None
    placement: dict[str, Any] | None = None
    max_context_length: int | None = Field(None, ge=0, le=INT32)


class Scale(Message):
    replica_count: int = Field(ge=0, le=INT32)


def check_policy(policy: Autoscaling) -> None:
    for field in ("scale_up_window", "scale_down_window", "scale_to_zero_window"):
        seconds = seconds_of(getattr(policy, field), field)
        if field == "scale_to_zero_window":
            if 0 < seconds < SHORTEST_IDLE:
                raise invalid(f"invalid {field}: must be at least {SHORTEST_IDLE:.0f}s")
        elif seconds > LONGEST_WINDOW:
            raise invalid(f"invalid {field}: must be at most {LONGEST_WINDOW:.0f}s")


def check_replicas(least: int, most: int) -> None:
    if most < least:
        raise invalid("max_replica_count must not be below min_replica_count")


def bytes_per_parameter(precision: str) -> float:
    if precision.startswith(("FP4", "NF4")):
        return 0.5
    return 1.0 if precision.startswith("FP8") else 2.0


def fewest_accelerators(target: Servable, kind: str, precision: str) -> int:
    """How many of these hold the weights; 0 when no number does."""
    needed = target.base.parameters * bytes_per_parameter(precision)
    each = ACCELERATORS[kind] * 1e9 * WEIGHTS_SHARE
    return next((count for count in COUNTS if count * each >= needed), 0)


def choose_shape(service: Service, fields: DeploymentFields, target: Servable) -> Shape | None:
    """The shape asked for, or None for a deployment that names its own accelerator."""
    addons = fields.enable_addons or fields.enable_hot_reload_latest_addon
    possible = matching(service, fields.base_model, addons=addons)
    if not possible:
        kind = "addons are" if addons else "live merge is"
        raise invalid(f"{kind} not supported for this configuration: {fields.base_model}")
    if not fields.deployment_shape:
        return None
    shape = possible[0] if fields.deployment_shape == "default" else named(fields.deployment_shape)
    if shape not in possible:
        if shape.base == target.base:
            raise invalid(f"addons cannot be used with {shape.precision}: choose a BF16 shape")
        raise invalid(f"deployment shape {shape.name} cannot serve {fields.base_model}: see :match")
    return shape


def own_accelerators(fields: DeploymentFields, target: Servable) -> dict[str, Any]:
    """Accelerators and precision of a deployment without a shape."""
    kind, lora = fields.accelerator_type, fields.enable_addons or target.adapter is not None
    if kind in ("", UNSPECIFIED):
        raise invalid("accelerator type is missing: set deployment_shape or accelerator_type")
    if kind not in ACCELERATORS:
        raise invalid(f"invalid accelerator_type {kind!r}")
    if lora and fields.precision.startswith(("FP8", "FP4")):
        raise invalid(f"addons cannot be used with {fields.precision}")
    shapes = shapes_of(target.base)
    precision = fields.precision or ("BF16" if lora else shapes[0].precision)
    fewest = fewest_accelerators(target, kind, precision)
    fits = fewest and (fields.accelerator_count or fewest) >= fewest
    if not fits and not fields.disable_deployment_size_validation:
        count = fields.accelerator_count or COUNTS[-1]
        raise invalid(f"model {target.name} is not supported on this GPU: {count} x {kind} is too small")
    return {
        "acceleratorType": kind,
        "acceleratorCount": fields.accelerator_count or fewest,
        "precision": precision,
    }


def shape_fields(shape: Shape) -> dict[str, Any]:
    """What a shape fixes."""
    kind, count = shape.gpu
    return {
        "deploymentShape": shape.version,
        "acceleratorType": kind,
        "acceleratorCount": count,
        "precision": shape.precision,
    }


def resolve(service: Service, fields: DeploymentFields) -> dict[str, Any]:
    """The whole deployment body that a request stands for."""
    target = find_model(service, fields.base_model)
    if target is None:
        raise not_found(fields.base_model or "base_model")
    check_display_name(fields.display_name)
    check_policy(fields.autoscaling_policy)
    if len([value for value in fields.placement.values() if value]) != 1:
        raise invalid("invalid placement: give exactly one of region, multi_region and regions")
    shape = choose_shape(service, fields, target)
    least, most = fields.min_replica_count, fields.max_replica_count
    most = max(least, 1) if most is None else most
    check_replicas(least, most)
    return fields.model_dump(by_alias=True, exclude_none=True) | {
        "baseModel": target.name,
        **(shape_fields(shape) if shape else own_accelerators(fields, target)),
        "maxReplicaCount": most,
        "maxContextLength": fields.max_context_length or target.base.context,
        "region": "REGION_UNSPECIFIED",
        "createdBy": f"{service.account}@localhost",
    }
