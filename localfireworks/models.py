"""Models: the public catalogue and the account's own results (fireworks-api.md, 3)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import uploads
from localfireworks.backend import Key
from localfireworks.catalogue import CATALOGUE, PUBLIC, BaseModel
from localfireworks.errors import not_found, precondition
from localfireworks.jobs import active_user
from localfireworks.listing import page_of, read_mask, stored_page
from localfireworks.names import NAME, check_display_name, resource_name, timestamp
from localfireworks.service import Message, Service, base_url, found, ok, own_account, read_body, service_of
from localfireworks.store import Resource

COLLECTION = "models"
LIVE_DEPLOYMENTS = ("CREATING", "READY", "UPDATING")
LOADED = ("DEPLOYING", "DEPLOYED", "UPDATING", "UNDEPLOYING")


@dataclass(frozen=True)
class Servable:
    """A model and what answers for it: its base and, for a LoRA result, the adapter folder."""

    name: str
    base: BaseModel
    adapter: Path | None = None
    rank: int = 0
    deployment: str = ""  # what serves it; empty: serverless

    @property
    def key(self) -> Key:
        return self.base.standin, self.adapter


class ModelPatch(Message):
    """Metadata; what is left out stays, and what belongs to the weights cannot be changed."""

    display_name: str | None = None
    description: str | None = Field(None, max_length=999)
    public: bool | None = None
    github_url: str | None = None
    hugging_face_url: str | None = None


def find_model(service: Service, name: str) -> Servable | None:
    """A public or own model by full name; a bare id is looked for in the own account."""
    full = name if NAME.fullmatch(name) else resource_name(service.account, COLLECTION, name)
    if full in CATALOGUE:
        return Servable(full, CATALOGUE[full])
    row = service.store.get(full)
    if row is None or row.collection != COLLECTION or row.state != "READY":
        return None
    base = CATALOGUE.get(row.body["peftDetails"]["baseModel"])
    if base is None:  # from a folder that this server was not started with
        return None
    return Servable(full, base, Path(row.private["adapter"]), int(row.body["peftDetails"]["r"]))


def render(row: Resource) -> dict[str, Any]:
    return {
        "name": row.name,
        "createTime": timestamp(row.created),
        "updateTime": timestamp(row.updated),
        "state": row.state,
        "status": {"code": "OK", "message": ""},
        **row.body,
    }


def lora_body(base: BaseModel, *, rank: int, modules: list[str], job: str) -> dict[str, Any]:
    """What the API shows of an adapter, without its title."""
    return {
        "displayName": "",
        "description": "",
        "kind": "HF_PEFT_ADDON",
        "public": False,
        "peftDetails": {"baseModel": base.name, "r": rank, "targetModules": modules},
        "contextLength": base.context,
        "trainingContextLength": base.context,
        "supportsLora": False,
        "supportsServerless": False,
        "supportsTools": False,
        "supportsImageInput": False,
        "tunable": False,
        "supervisedLoraTunable": False,
        "fineTuningJob": job,
    }


def add_lora(
    service: Service,
    id_: str,
    base: BaseModel,
    *,
    rank: int,
    modules: list[str],
    adapter: Path,
    job: str,
    title: str,
) -> Resource:
    """Store the result of a LoRA job as a READY model."""
    body = lora_body(base, rank=rank, modules=modules, job=job) | {"displayName": title}
    row = service.new(COLLECTION, id_, "READY", body)
    row.private["adapter"] = str(adapter)
    return service.store.insert(row)


def deployments_of(service: Service, name: str) -> list[Resource]:
    """Live deployments of a model: of its own, merged, or being merged."""
    rows = service.store.in_states("deployments", LIVE_DEPLOYMENTS)
    return [
        row
        for row in rows
        if name in (row.private.get("merged") or row.body["baseModel"], row.private.get("merging"))
    ]


def loads_of(service: Service, name: str) -> list[Resource]:
    """Where a LoRA model is loaded onto the deployment of its base."""
    rows = service.store.in_states("deployedModels", LOADED)
    return [row for row in rows if row.body["model"] == name]


def _refs(service: Service, name: str) -> list[dict[str, Any]]:
    loads = loads_of(service, name)
    shown = [
        {key: row.body[key] for key in ("deployment", "default", "public")}
        | {"name": row.name, "state": row.state}
        for row in loads
    ]
    taken = {row.body["deployment"] for row in loads}
    return shown + [
        {
            "name": f"{name}#{row.name}",
            "deployment": row.name,
            "state": "DEPLOYED" if row.state == "READY" else "DEPLOYING",
            "default": False,
            "public": False,
        }
        for row in deployments_of(service, name)
        if row.name not in taken
    ]


async def list_models(request: Request) -> Response:
    service, query = service_of(request), request.query_params
    if request.path_params["account"] == PUBLIC:
        return ok(page_of("models", [model.body() for model in CATALOGUE.values()], query))
    return ok(stored_page(service.store, COLLECTION, own_account(request), query, render))


async def get_model(request: Request) -> Response:
    service, mask = service_of(request), request.query_params.get("readMask")
    if request.path_params["account"] == PUBLIC:
        name = resource_name(PUBLIC, COLLECTION, request.path_params["id"])
        if name not in CATALOGUE:
            raise not_found(name)
        body = CATALOGUE[name].body()
    else:
        body = render(found(request, COLLECTION))
    return ok(read_mask(body | {"deployedModelRefs": _refs(service, body["name"])}, mask))


async def patch_model(request: Request) -> Response:
    row, patch = found(request, COLLECTION), await read_body(request, ModelPatch)
    if patch.display_name is not None:
        check_display_name(patch.display_name)
    row.body |= patch.model_dump(by_alias=True, exclude_none=True)
    service_of(request).save(row)
    return ok(render(row))


async def delete_model(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if job := active_user(service, row.name):
        raise precondition(f"{row.name} is in use by {job.name}")
    if deployments := deployments_of(service, row.name):
        raise precondition(f"{row.name} has active deployments: delete {deployments[0].name} first")
    if loads := loads_of(service, row.name):
        raise precondition(f"{row.name} is deployed: unload {loads[0].name} first")
    service.store.delete(row.name)
    if "files" in row.private:  # it was uploaded
        uploads.remove(service, row)
    if "adapter" in row.private:
        shutil.rmtree(row.private["adapter"], ignore_errors=True)
    return ok({})


def adapter_files(row: Resource) -> list[str]:
    return sorted(path.name for path in Path(row.private["adapter"]).iterdir() if path.is_file())


async def download_endpoint(request: Request) -> Response:
    """Signed URLs of the adapter's files: those that were uploaded, or that a job wrote."""
    service, row = service_of(request), found(request, COLLECTION)
    if row.state != "READY":
        raise precondition(f"{row.name} is {row.state}")
    if "files" in row.private:
        return ok({"filenameToSignedUrls": uploads.signed(request, row, "GET")})
    urls = {
        file: service.signer.sign(base_url(request), "GET", f"models/{row.account}/{row.id}/{file}")
        for file in adapter_files(row)
    }
    return ok({"filenameToSignedUrls": urls})


PARENT = "/v1/accounts/{account}/models"
routes = [
    Route(PARENT, list_models),
    Route(PARENT + "/{id:rid}:getDownloadEndpoint", download_endpoint),
    Route(PARENT + "/{id:rid}", get_model),
    Route(PARENT + "/{id:rid}", patch_model, methods=["PATCH"]),
    Route(PARENT + "/{id:rid}", delete_model, methods=["DELETE"]),
]
