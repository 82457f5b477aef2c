"""LoRA adapters that are brought in: create, upload, validate, prepare (fireworks-api.md, 3)."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import uploads
from localfireworks.adapter_check import BadAdapter, Settings, check_settings, take_over
from localfireworks.catalogue import CATALOGUE
from localfireworks.errors import ApiError, invalid, not_found, precondition
from localfireworks.jobs import active_maker
from localfireworks.listing import read_mask
from localfireworks.models import COLLECTION, PARENT, lora_body, render
from localfireworks.names import check_display_name, check_id, full_name, new_id
from localfireworks.service import Message, Service, flag, found, ok, own_account, read_body, service_of
from localfireworks.store import Resource
from localfireworks.uploads import UploadEndpoint

ADDON = "HF_PEFT_ADDON"
KEPT = ("description", "public", "github_url", "hugging_face_url")
Precision = Literal[
    "PRECISION_UNSPECIFIED", "FP16", "FP8", "FP8_MM", "FP8_AR", "FP8_MM_KV_ATTN", "FP8_KV", "FP8_MM_V2",
    "FP8_V2", "FP8_MM_KV_ATTN_V2", "NF4", "FP4", "BF16", "FP4_BLOCKSCALED_MM", "FP4_MX_MOE",
]  # fmt: skip


class PeftDetails(Message):
    base_model: str = ""
    r: int = Field(0, ge=0)
    target_modules: list[str] = Field(default_factory=list)


class ModelFields(Message):
    """The part of a model a client may give."""

    display_name: str = ""
    description: str = Field("", max_length=999)
    kind: str = ADDON
    public: bool = False
    github_url: str = ""
    hugging_face_url: str = ""
    peft_details: PeftDetails = Field(default_factory=PeftDetails)


class ModelCreate(Message):
    model: ModelFields = Field(default_factory=ModelFields)
    model_id: str
    cluster: str = ""


class Prepare(Message):
    precision: Precision = "PRECISION_UNSPECIFIED"


async def create_model(request: Request) -> Response:
    """A model in UPLOADING."""
    own_account(request)
    message, service = await read_body(request, ModelCreate), service_of(request)
    row = new_model(service, check_id(message.model_id, "modelId"), message.model)
    if job := active_maker(service, row.name):
        raise ApiError("ALREADY_EXISTS", f"{row.name} is about to be made by {job.name}")
    return ok(render(service.store.insert(row)))


def new_model(service: Service, id_: str, fields: ModelFields) -> Resource:
    """The row of an adapter that is to come, not yet stored; refused when nothing could be done with it."""
    if fields.kind not in (ADDON, "KIND_UNSPECIFIED"):
        raise ApiError("UNIMPLEMENTED", f"only {ADDON} can be uploaded here, not {fields.kind}")
    peft = fields.peft_details
    base = CATALOGUE.get(full_name(peft.base_model, COLLECTION, "peft_details.base_model"))
    if base is None:
        raise not_found(peft.base_model)
    if base.rule:
        raise invalid(f"{base.name} is no model that an adapter could be for")
    body = lora_body(base, rank=peft.r, modules=peft.target_modules, job="")
    body["displayName"] = check_display_name(fields.display_name)
    body |= {k: v for k, v in fields.model_dump(by_alias=True, include=set(KEPT)).items() if v != ""}
    row = service.new(COLLECTION, id_, "UPLOADING", body)
    row.private |= uploads.EMPTY
    return row


def need_uploading(row: Resource) -> None:
    if row.state != "UPLOADING":
        raise precondition(f"{row.name} is {row.state}: its files cannot change, make a new model")


async def upload_endpoint(request: Request) -> Response:
    """Signed URLs for the whole file set, which replaces any set registered before."""
    row, message = found(request, COLLECTION), await read_body(request, UploadEndpoint)
    need_uploading(row)
    uploads.register(row, message.filename_to_size)
    service_of(request).save(row)
    answer = {"filenameToSignedUrls": uploads.signed(request, row, "PUT")}
    return ok(read_mask(answer, request.query_params.get("readMask")))


async def validate_upload(request: Request) -> Response:
    """READY when the files are an adapter of the base model; with `configOnly`, tensors are not looked at."""
    service, row = service_of(request), found(request, COLLECTION)
    if row.state == "READY":
        return ok({"warnings": []})
    if not uploads.complete(service, row):
        raise precondition(f"{row.name}: not all registered files were uploaded")
    target = None
    if not flag(request, "configOnly"):
        target = service.settings.folder("models").resolve() / f"{row.id}-{new_id()}"
    with ExitStack() as undo:
        undo.callback(_remove, target)
        try:
            settings, warnings = await asyncio.to_thread(_check, service, row, target)
        except BadAdapter as error:
            raise invalid(f"{row.name}: {error}") from error
        if target is not None:
            _make_ready(service, row, settings, target)
        undo.pop_all()
    return ok({"warnings": warnings})


def _remove(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _check(service: Service, row: Resource, target: Path | None) -> tuple[Settings, list[str]]:
    """What the uploaded settings say, and warnings; takes the adapter over to `target` if there is one."""
    folder, peft = uploads.folder_of(service, row), row.body["peftDetails"]
    settings = check_settings(folder, int(peft["r"]))
    if target is None:
        return settings, ["the tensors were not looked at"]
    return settings, take_over(folder, target, CATALOGUE[peft["baseModel"]].standin)


def _make_ready(service: Service, row: Resource, settings: Settings, adapter: Path) -> None:
    """The model with its adapter; refused when the model was changed while the files were looked at."""
    now = service.store.get(row.name)
    if now is None:
        raise not_found(row.name)
    need_uploading(now)
    if now.private["generation"] != row.private["generation"]:
        raise precondition(f"{row.name}: other files were registered meanwhile, upload and validate those")
    now.state, now.private["adapter"] = "READY", str(adapter)
    now.body["peftDetails"] |= {"r": settings.rank, "targetModules": settings.modules}
    service.save(now, was="UPLOADING")


async def prepare(request: Request) -> Response:
    """Ready a model for another precision: nothing has to be done for the stand-ins."""
    row = found(request, COLLECTION)
    await read_body(request, Prepare)
    if row.state != "READY":
        raise precondition(f"{row.name} is {row.state}, not READY")
    return ok({})


ONE = PARENT + "/{id:rid}"
routes: list[Any] = [
    Route(PARENT, create_model, methods=["POST"]),
    Route(ONE + ":getUploadEndpoint", upload_endpoint, methods=["POST"]),
    Route(ONE + ":validateUpload", validate_upload),
    Route(ONE + ":prepare", prepare, methods=["POST"]),
]
