"""Deployments over HTTP (fireworks-api.md, 6.1 and 6.2). Their life is in `replicas`."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import replicas
from localfireworks.errors import already_exists, invalid, not_found, precondition
from localfireworks.listing import read_mask, stored_page
from localfireworks.models import find_model
from localfireworks.names import check_display_name, check_id, new_id, seconds_of, timestamp
from localfireworks.service import Message, Service, flag, found, ok, own_account, read_body, service_of
from localfireworks.shapes import Shape, matching, named, shapes_of
from localfireworks.store import Resource

COLLECTION = "deployments"
# Fields that are not in a row's body.
COMPUTED = frozenset(
    {"status", "replicaCount", "desiredReplicaCount", "replicaStats", "deleteTime", "purgeTime"}
)
ACCELERATORS = frozenset(
    {
        "NVIDIA_A100_80GB",
        "NVIDIA_H100_80GB",
        "NVIDIA_H200_141GB",
        "NVIDIA_B200_180GB",
        "NVIDIA_B300_288GB",
        "AMD_MI300X_192GB",
    }
)
SHORTEST_IDLE = 300.0
RECENT_SECONDS = 3600.0
UNSPECIFIED = "ACCELERATOR_TYPE_UNSPECIFIED"


class Autoscaling(Message):
    """Windows as the API writes durations."""

    scale_up_window: str = "30s"
    scale_down_window: str = "600s"
    scale_to_zero_window: str = "3600s"
    load_targets: dict[str, float] = Field(default_factory=dict)


class DeploymentFields(Message):
    base_model: str = ""
    deployment_shape: str = ""
    display_name: str = ""
    description: str = ""
    min_replica_count: int = Field(0, ge=0)
    max_replica_count: int = Field(0, ge=0)
    autoscaling_policy: Autoscaling = Autoscaling()
    accelerator_type: str = ""
    accelerator_count: int = Field(0, ge=0)
    precision: str = ""
    enable_addons: bool = False
    enable_hot_reload_latest_addon: bool = False
    placement: dict[str, Any] = Field(default_factory=dict)
    max_context_length: int = Field(0, ge=0)


class DeploymentPatch(Message):
    display_name: str | None = None
    description: str | None = None
    min_replica_count: int | None = Field(None, ge=0)
    max_replica_count: int | None = Field(None, ge=0)
    autoscaling_policy: Autoscaling | None = None


class Scale(Message):
    replica_count: int = Field(ge=0)


def _check_policy(policy: Autoscaling) -> None:
    for field in ("scale_up_window", "scale_down_window", "scale_to_zero_window"):
        seconds = seconds_of(getattr(policy, field), field)
        if field == "scale_to_zero_window" and 0 < seconds < SHORTEST_IDLE:
            raise invalid(f"invalid scale_to_zero_window: must be at least {SHORTEST_IDLE:.0f}s")


def choose_shape(service: Service, fields: DeploymentFields) -> Shape | None:
    """The shape asked for, or None for a deployment that names its own accelerator."""
    possible = matching(service, fields.base_model, addons=fields.enable_addons)
    if not possible:
        kind = "addons are" if fields.enable_addons else "live merge is"
        raise invalid(f"{kind} not supported for this configuration: {fields.base_model}")
    if fields.deployment_shape:
        shape = possible[0] if fields.deployment_shape == "default" else named(fields.deployment_shape)
        if shape not in possible:
            raise invalid(f"deployment shape {shape.name} cannot serve {fields.base_model}: see :match")
        return shape
    if fields.accelerator_type in ("", UNSPECIFIED):
        raise invalid("accelerator type is missing: set deployment_shape or accelerator_type")
    if fields.accelerator_type not in ACCELERATORS:
        raise invalid(f"invalid accelerator_type {fields.accelerator_type!r}")
    if fields.enable_addons and fields.precision.startswith(("FP8", "FP4")):
        raise invalid(f"addons cannot be used with {fields.precision}")
    return None


def resolve(service: Service, fields: DeploymentFields) -> dict[str, Any]:
    """The whole deployment body that a request stands for."""
    target = find_model(service, fields.base_model)
    if target is None:
        raise not_found(fields.base_model or "base_model")
    check_display_name(fields.display_name)
    _check_policy(fields.autoscaling_policy)
    shape = choose_shape(service, fields)
    most = fields.max_replica_count or max(fields.min_replica_count, 1)
    if most < fields.min_replica_count:
        raise invalid("max_replica_count must not be below min_replica_count")
    chosen = shape or shapes_of(target.base)[-1]
    kind, count = (
        chosen.gpu if shape else (fields.accelerator_type, fields.accelerator_count or chosen.gpu[1])
    )
    return fields.model_dump(by_alias=True) | {
        "baseModel": target.name,
        "deploymentShape": shape.version if shape else "",
        "acceleratorType": kind,
        "acceleratorCount": count,
        "precision": chosen.precision if shape else fields.precision or chosen.precision,
        "maxReplicaCount": most,
        "maxContextLength": fields.max_context_length or target.base.context,
        "region": "REGION_UNSPECIFIED",
        "createdBy": f"{service.account}@localhost",
    }


def render(row: Resource) -> dict[str, Any]:
    replicas_, desired = row.private.get("replicas", 0), row.private.get("desired", 0)
    starting = max(0, desired - replicas_)
    shown = {
        "name": row.name,
        "createTime": timestamp(row.created),
        "updateTime": timestamp(row.updated),
        "state": row.state,
        "status": row.private.get("status", {"code": "OK", "message": ""}),
        **row.body,
        "replicaCount": replicas_,
        "desiredReplicaCount": desired,
        "replicaStats": {
            "pendingSchedulingReplicaCount": 0,
            "downloadingModelReplicaCount": 0,
            "initializingReplicaCount": starting,
            "readyReplicaCount": replicas_,
        },
    }
    if row.deleted is not None:
        shown["deleteTime"] = timestamp(row.deleted)
        shown["purgeTime"] = timestamp(row.deleted + replicas.KEEP_DELETED_SECONDS)
    return shown


async def create_deployment(request: Request) -> Response:
    own_account(request)
    service, fields = service_of(request), await read_body(request, DeploymentFields)
    id_ = check_id(request.query_params.get("deploymentId") or new_id(), "deploymentId")
    row = service.new(COLLECTION, id_, "CREATING", {})
    if service.store.get(row.name) is not None:
        raise already_exists(row.name)
    row.body = resolve(service, fields)
    replicas.begin(service, row)
    if not flag(request, "validateOnly"):
        service.store.insert(row)
    return ok(render(row))


async def list_deployments(request: Request) -> Response:
    account, store = own_account(request), service_of(request).store
    return ok(
        stored_page(
            store, COLLECTION, account, request.query_params, render, computed=COMPUTED, order="createTime"
        )
    )


async def get_deployment(request: Request) -> Response:
    return ok(read_mask(render(found(request, COLLECTION)), request.query_params.get("readMask")))


async def patch_deployment(request: Request) -> Response:
    row, patch = found(request, COLLECTION), await read_body(request, DeploymentPatch)
    if patch.display_name is not None:
        check_display_name(patch.display_name)
    if patch.autoscaling_policy is not None:
        _check_policy(patch.autoscaling_policy)
    row.body |= patch.model_dump(by_alias=True, exclude_none=True)
    if row.body["maxReplicaCount"] < row.body["minReplicaCount"]:
        raise invalid("max_replica_count must not be below min_replica_count")
    service_of(request).save(row)
    return ok(render(row))


async def scale_deployment(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    wanted = (await read_body(request, Scale)).replica_count
    if wanted > row.body["maxReplicaCount"]:
        raise invalid(f"replica_count {wanted} is above max_replica_count {row.body['maxReplicaCount']}")
    if row.state not in ("READY", "CREATING"):
        raise precondition(f"{row.name} is {row.state}")
    replicas.scale(service, row, wanted)
    return ok(render(row))


async def delete_deployment(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if row.deleted is None:
        recent = service.clock() - row.private.get("last_used", 0.0) < RECENT_SECONDS
        if recent and not flag(request, "ignoreChecks"):
            raise precondition(
                f"{row.name} was used within the last hour: send ignoreChecks=true to delete it anyway"
            )
        replicas.remove(service, row)
    if flag(request, "hard"):
        service.store.delete(row.name)
    return ok({})


async def undelete_deployment(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if row.deleted is None:
        raise precondition(f"{row.name} is not deleted")
    if find_model(service, row.body["baseModel"]) is None:
        raise not_found(row.body["baseModel"])
    row.deleted = None
    replicas.begin(service, row)
    replicas.change(service, row, "CREATING")
    return ok(render(row))


PARENT = "/v1/accounts/{account}/deployments"
ONE = PARENT + "/{id:rid}"
routes = [
    Route(PARENT, list_deployments),
    Route(PARENT, create_deployment, methods=["POST"]),
    Route(ONE + ":scale", scale_deployment, methods=["PATCH"]),
    Route(ONE + ":undelete", undelete_deployment, methods=["POST"]),
    Route(ONE, get_deployment),
    Route(ONE, patch_deployment, methods=["PATCH"]),
    Route(ONE, delete_deployment, methods=["DELETE"]),
]
