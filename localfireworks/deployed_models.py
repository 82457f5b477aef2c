"""deployedModels: LoRA models loaded onto the deployment of their base (fireworks-api.md, 6.3)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import replicas
from localfireworks.errors import ApiError, already_exists, invalid, not_found, precondition
from localfireworks.guard import guarded
from localfireworks.listing import read_mask, stored_page
from localfireworks.models import LOADED, Servable, find_model, loads_of
from localfireworks.names import check_display_name, new_id, timestamp
from localfireworks.service import Message, Service, flag, found, ok, own_account, read_body, service_of
from localfireworks.store import Resource

COLLECTION = "deployedModels"
MOST_ADDONS = 100


class LoadFields(Message):
    model: str = ""
    deployment: str = ""
    display_name: str = ""
    description: str = ""
    default: bool | None = None
    public: bool = False
    serverless: bool = False


class LoadPatch(Message):
    display_name: str | None = None
    description: str | None = None
    default: bool | None = None
    public: bool | None = None


def render(row: Resource) -> dict[str, Any]:
    return {
        "name": row.name,
        "createTime": timestamp(row.created),
        "updateTime": timestamp(row.updated),
        "state": row.state,
        "status": row.private.get("status", {"code": "OK", "message": ""}),
        **row.body,
    }


def _lora(service: Service, name: str) -> Servable:
    target = find_model(service, name)
    if target is None:
        raise not_found(name or "model")
    if target.adapter is None:
        raise invalid(f"model {name} is a base model: only PEFT addons can be loaded onto a deployment")
    return target


def _deployment(service: Service, name: str, target: Servable) -> Resource:
    """The live deployment of the LoRA's base."""
    row = service.store.get(name)
    if row is None or row.collection != replicas.COLLECTION or row.deleted is not None:
        raise not_found(name or "deployment")
    if row.state not in replicas.LIVE:
        raise precondition(f"{name} is {row.state}")
    serves = replicas.served(service, row)
    if serves is None or serves.base != target.base:
        raise invalid(f"model {target.name} needs a deployment of its base model {target.base.name}")
    return row


def _check_addon(service: Service, deployment: Resource) -> None:
    """Multi-LoRA: the deployment must take addons and have room."""
    if deployment.body["enableHotReloadLatestAddon"]:
        raise invalid(f"{deployment.name} is a hot reload deployment: send replaceMergedAddon=true")
    if not deployment.body["enableAddons"]:
        raise invalid(f"addons are not enabled on {deployment.name}: create it with enable_addons")
    if len(replicas.addons(service, deployment)) >= MOST_ADDONS:
        raise ApiError("RESOURCE_EXHAUSTED", f"{deployment.name} has {MOST_ADDONS} LoRA models already")


def _replace_merged(service: Service, deployment: Resource, target: Servable) -> None:
    """Live merge: the new LoRA takes the place of the merged one."""
    serves = replicas.served(service, deployment)
    merged = serves is not None and serves.adapter is not None
    if not merged and not deployment.body["enableHotReloadLatestAddon"]:
        raise invalid(f"{deployment.name} has no merged addon to replace")
    if deployment.state != "READY":
        raise precondition(f"{deployment.name} is {deployment.state}: wait until it is READY")
    for row in replicas.addons(service, deployment):
        replicas.change(service, row, "UNDEPLOYING")
    replicas.merge(service, deployment, target.name)


def _make_default(service: Service, chosen: Resource) -> None:
    """One target only for the bare name of a model."""
    for row in loads_of(service, chosen.body["model"]):
        if row.name != chosen.name and row.body["default"]:
            row.body["default"] = False
            service.save(row)


async def load(request: Request) -> Response:
    own_account(request)
    service, fields = service_of(request), await read_body(request, LoadFields)
    if fields.serverless:
        raise invalid("serverless cannot be set: a LoRA model needs a dedicated deployment")
    check_display_name(fields.display_name)
    target = _lora(service, fields.model)
    deployment = _deployment(service, fields.deployment, target)
    others = loads_of(service, target.name)
    for row in others:
        if row.body["deployment"] == deployment.name and row.state != "UNDEPLOYING":
            raise already_exists(f"{target.name} on {deployment.name}: {row.name}")
    replaces = flag(request, "replaceMergedAddon")
    if replaces:
        _replace_merged(service, deployment, target)
    else:
        _check_addon(service, deployment)
    body = fields.model_dump(by_alias=True) | {"model": target.name, "deployment": deployment.name}
    body["default"] = not others if fields.default is None else fields.default
    made = service.new(COLLECTION, new_id(), "DEPLOYING", body)
    made.private["merged"] = replaces
    service.store.insert(made)
    if body["default"]:
        _make_default(service, made)
    return ok(render(made))


async def list_loads(request: Request) -> Response:
    account, store = own_account(request), service_of(request).store
    return ok(stored_page(store, COLLECTION, account, request.query_params, render))


async def get_load(request: Request) -> Response:
    return ok(read_mask(render(found(request, COLLECTION)), request.query_params.get("readMask")))


async def patch_load(request: Request) -> Response:
    """Titles, `default`, `public`; model and deployment stay."""
    service, row = service_of(request), found(request, COLLECTION)
    patch = await read_body(request, LoadPatch)
    check_display_name(patch.display_name or "")
    row.body |= patch.model_dump(by_alias=True, exclude_none=True)
    service.save(row)
    if patch.default:
        _make_default(service, row)
    return ok(render(row))


async def unload(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if row.private.get("merged"):
        raise precondition(f"{row.name} is merged: replace it, or delete its deployment")
    replicas.change(service, row, "UNDEPLOYING")
    return ok({})


def _step(service: Service, row: Resource) -> None:
    deployment, target = service.store.get(row.body["deployment"]), find_model(service, row.body["model"])
    live = deployment is not None and deployment.state in replicas.LIVE
    if deployment is None or target is None or not live or _left(row, deployment):
        service.store.delete(row.name)
    elif row.state == "DEPLOYING" and deployment.state == "READY":
        if not row.private.get("merged"):
            loading = service.backend.load(target.key)
            if not loading.done():
                return
            if fault := loading.exception():
                row.private["status"] = {"code": "INTERNAL", "message": f"LoRA failed to load: {fault}"}
                service.save(row)
                return
        replicas.change(service, row, "DEPLOYED")


def _left(row: Resource, deployment: Resource) -> bool:
    """Whether unloading is over; a merged LoRA answers until the next one is merged."""
    merging = row.private.get("merged") and deployment.private.get("merging")
    return row.state == "UNDEPLOYING" and not merging


def tick(service: Service) -> None:
    """One look at every LoRA that comes or goes, and at those whose deployment may have gone."""
    for row in service.store.in_states(COLLECTION, LOADED):
        with guarded(row.name):
            _step(service, row)


PARENT = "/v1/accounts/{account}/deployedModels"
ONE = PARENT + "/{id:rid}"
routes = [
    Route(PARENT, list_loads),
    Route(PARENT, load, methods=["POST"]),
    Route(ONE, get_load),
    Route(ONE, patch_load, methods=["PATCH"]),
    Route(ONE, unload, methods=["DELETE"]),
]
