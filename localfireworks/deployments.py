"""Deployments over HTTP (fireworks-api.md, 6.1 and 6.2). Their life is in `replicas`."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import replicas
from localfireworks.deployment_fields import (
    Autoscaling,
    DeploymentFields,
    DeploymentPatch,
    Scale,
    check_policy,
    check_replicas,
    choose_shape,
    resolve,
    shape_fields,
)
from localfireworks.errors import already_exists, invalid, not_found, precondition
from localfireworks.listing import read_mask, stored_page
from localfireworks.models import find_model
from localfireworks.names import check_display_name, check_id, new_id, timestamp
from localfireworks.service import Service, flag, found, ok, own_account, read_body, service_of
from localfireworks.store import Resource

RECENT_SECONDS = 3600.0
COLLECTION = "deployments"
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
    if flag(request, "acceptShapelessRisk") and fields.deployment_shape:
        raise invalid("accept_shapeless_risk and deployment_shape exclude each other")
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
    return ok(stored_page(store, COLLECTION, account, request.query_params, render, order="createTime"))


async def get_deployment(request: Request) -> Response:
    return ok(read_mask(render(found(request, COLLECTION)), request.query_params.get("readMask")))


async def patch_deployment(request: Request) -> Response:
    """Change what may change; the base model stays, whatever is sent for it."""
    service, row = service_of(request), found(request, COLLECTION)
    patch = await read_body(request, DeploymentPatch)
    if row.state not in replicas.LIVE:
        raise precondition(f"{row.name} is {row.state}")
    check_display_name(patch.display_name or "")
    check_policy(patch.autoscaling_policy or Autoscaling())
    if patch.placement is not None and patch.placement != row.body["placement"]:
        raise invalid("placement cannot be changed: make a new deployment")
    changed = row.body | patch.model_dump(by_alias=True, exclude_none=True, exclude={"deployment_shape"})
    check_replicas(changed["minReplicaCount"], changed["maxReplicaCount"])
    reshaped = _reshaped(service, changed, patch.deployment_shape)
    row.body = changed | reshaped
    desired = row.private["desired"]
    wanted = min(max(desired, changed["minReplicaCount"]), changed["maxReplicaCount"])
    if wanted != desired:
        replicas.scale(service, row, wanted)
    if reshaped and row.state == "READY":
        replicas.change(service, row, "UPDATING")
    service.save(row)
    return ok(render(row))


def _reshaped(service: Service, body: dict[str, Any], shape: str | None) -> dict[str, Any]:
    """What another shape changes; nothing for the one it has."""
    if not shape or shape.partition("/versions/")[0] == body["deploymentShape"].partition("/versions/")[0]:
        return {}
    fields = DeploymentFields.model_validate(body | {"deploymentShape": shape})
    target = find_model(service, fields.base_model)
    if target is None:
        raise not_found(fields.base_model)
    chosen = choose_shape(service, fields, target)
    return shape_fields(chosen) if chosen else {}


async def scale_deployment(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    wanted = (await read_body(request, Scale)).replica_count
    if wanted > row.body["maxReplicaCount"]:
        raise invalid(f"replica_count {wanted} is above max_replica_count {row.body['maxReplicaCount']}")
    if row.state not in replicas.LIVE:
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
        loaded = replicas.addons(service, row)
        if loaded and not flag(request, "ignoreChecks"):
            raise precondition(
                f"{row.name} has {len(loaded)} LoRA models loaded: unload them or send ignoreChecks=true"
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
