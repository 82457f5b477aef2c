"""Datasets: rows in the database, files in the data folder (fireworks-api.md, 2)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pydantic import Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks.errors import invalid, precondition
from localfireworks.jobs import active_user
from localfireworks.listing import read_mask, stored_page
from localfireworks.names import check_display_name, check_id, timestamp
from localfireworks.service import Message, Service, base_url, found, ok, own_account, read_body, service_of
from localfireworks.store import Resource

COLLECTION = "datasets"
COMPUTED = frozenset({"status", "encryptionState"})  # fields that are not in a row's body
UPLOAD_LIMIT = 150_000_000  # bytes of one multipart upload
CHUNK = 1 << 20


class DatasetFields(Message):
    """The part of a dataset a client may give."""

    display_name: str = ""
    format: str = "FORMAT_UNSPECIFIED"
    example_count: int = Field(0, ge=0)


class DatasetCreate(Message):
    dataset: DatasetFields = DatasetFields()
    dataset_id: str


class DatasetPatch(Message):
    display_name: str | None = None
    example_count: int | None = Field(None, ge=0)


class UploadEndpoint(Message):
    filename_to_size: dict[str, int]


def render(row: Resource) -> dict[str, Any]:
    return {
        "name": row.name,
        "createTime": timestamp(row.created),
        "updateTime": timestamp(row.updated),
        "state": row.state,
        "status": {"code": "OK", "message": ""},
        "encryptionState": "ENCRYPTION_STATE_PLAINTEXT",
        **row.body,
    }


def new_dataset(service: Service, id_: str, fields: DatasetFields) -> Resource:
    """An empty dataset in UPLOADING, not yet stored."""
    body = {
        "displayName": check_display_name(fields.display_name),
        "format": fields.format,
        "exampleCount": str(fields.example_count),
        "estimatedTokenCount": "0",
        "averageTurnCount": 0.0,
        "createdBy": f"{service.account}@localhost",
        "sourceJobName": "",
        "userUploaded": {},
    }
    row = service.new(COLLECTION, check_id(id_, "datasetId"), "UPLOADING", body)
    row.private |= {"files": {}, "generation": 0, "rows": 0}
    return row


def folder_of(service: Service, row: Resource) -> Path:
    """Where the registered set of files lies; each registration begins an empty one."""
    generation = str(row.private["generation"])
    return service.settings.folder(COLLECTION, row.id, f"{row.created:.6f}", generation).resolve()


def files_of(service: Service, row: Resource) -> list[Path]:
    return [folder_of(service, row) / name for name in sorted(row.private["files"])]


def check_filename(name: str) -> str:
    if "/" in name or "\\" in name or name.startswith(".") or not name.endswith(".jsonl"):
        raise invalid(f"invalid filename {name!r}: give a flat name that ends in .jsonl")
    return name


def register(row: Resource, sizes: dict[str, int]) -> None:
    """Replace the registered file set (names to bytes); the change is not yet stored."""
    for name, size in sizes.items():
        check_filename(name)
        if size <= 0:
            raise invalid(f"file {name!r} is empty")
    row.private |= {"files": sizes, "generation": row.private["generation"] + 1}


def need_uploading(row: Resource) -> None:
    if row.state != "UPLOADING":
        raise precondition(f"{row.name} is {row.state}: its content cannot change, make a new dataset")


async def make_ready(service: Service, row: Resource) -> None:
    """Count what was uploaded and make the dataset READY."""
    seen = await service.backend.inspect(files_of(service, row))
    if row.body["exampleCount"] == "0":
        row.body["exampleCount"] = str(seen.rows)
    row.body["estimatedTokenCount"] = str(seen.tokens)
    row.body["averageTurnCount"] = seen.average_turns
    row.private["rows"] = seen.rows
    row.state = "READY"
    service.save(row, was="UPLOADING")


async def create_dataset(request: Request) -> Response:
    own_account(request)
    message, service = await read_body(request, DatasetCreate), service_of(request)
    return ok(render(service.store.insert(new_dataset(service, message.dataset_id, message.dataset))))


async def list_datasets(request: Request) -> Response:
    account, service = own_account(request), service_of(request)
    return ok(
        stored_page(service.store, COLLECTION, account, request.query_params, render, computed=COMPUTED)
    )


async def get_dataset(request: Request) -> Response:
    return ok(read_mask(render(found(request, COLLECTION)), request.query_params.get("readMask")))


async def patch_dataset(request: Request) -> Response:
    row, patch = found(request, COLLECTION), await read_body(request, DatasetPatch)
    if patch.display_name is not None:
        row.body["displayName"] = check_display_name(patch.display_name)
    if patch.example_count is not None:
        row.body["exampleCount"] = str(patch.example_count)
    service_of(request).save(row)
    return ok(render(row))


async def delete_dataset(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if job := active_user(service, row.name):
        raise precondition(f"{row.name} is in use by {job.name}")
    service.store.delete(row.name)
    shutil.rmtree(folder_of(service, row).parent, ignore_errors=True)
    return ok({})


async def upload(request: Request) -> Response:
    """Multipart upload of one file; the dataset is READY after it."""
    service, row = service_of(request), found(request, COLLECTION)
    need_uploading(row)
    if int(request.headers.get("content-length") or 0) > UPLOAD_LIMIT:
        raise invalid("file is larger than 150 MB: use :getUploadEndpoint")
    async with request.form() as form:
        part = form.get("file")
        if not isinstance(part, UploadFile) or not part.filename:
            raise invalid("the multipart body has no file in part 'file'")
        register(row, {part.filename: part.size or 0})
        with (folder_of(service, row) / part.filename).open("wb") as target:
            while chunk := await part.read(CHUNK):
                target.write(chunk)
        answer = {
            "id": row.id,
            "bytes": part.size,
            "created_at": int(service.clock()),
            "filename": part.filename,
            "object": "file",
            "purpose": "fine-tune",
        }
    await make_ready(service, row)
    return ok(answer)


async def upload_endpoint(request: Request) -> Response:
    """Signed URLs for the whole file set, which replaces any set registered before."""
    service, row = service_of(request), found(request, COLLECTION)
    message = await read_body(request, UploadEndpoint)
    if row.private.get("wedged"):
        # Seen on the real service: after a validation that came too early, no way to upload is left.
        raise HTTPException(405, "Method Not Allowed")
    need_uploading(row)
    if not message.filename_to_size:
        raise invalid("filenameToSize names no file")
    register(row, message.filename_to_size)
    service.save(row)
    place = f"datasets/{row.account}/{row.id}/{row.private['generation']}"
    urls = {
        name: service.signer.sign(base_url(request), "PUT", f"{place}/{name}", size)
        for name, size in message.filename_to_size.items()
    }
    return ok({"filenameToSignedUrls": urls})


async def validate_upload(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if row.state == "READY":
        return ok({})
    files = files_of(service, row)
    if not files or not all(path.is_file() for path in files):
        row.private["wedged"] = True
        service.save(row)
        raise precondition(f"{row.name}: not all registered files were uploaded")
    await make_ready(service, row)
    return ok({})


async def download_endpoint(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if row.state != "READY":
        raise precondition(f"{row.name} is {row.state}")
    place = f"datasets/{row.account}/{row.id}/{row.private['generation']}"
    urls = {
        name: service.signer.sign(base_url(request), "GET", f"{place}/{name}")
        for name in sorted(row.private["files"])
    }
    return ok(read_mask({"filenameToSignedUrls": urls}, request.query_params.get("readMask")))


PARENT = "/v1/accounts/{account}/datasets"
ONE = PARENT + "/{id:rid}"
routes = [
    Route(PARENT, list_datasets),
    Route(PARENT, create_dataset, methods=["POST"]),
    Route(ONE + ":upload", upload, methods=["POST"]),
    Route(ONE + ":getUploadEndpoint", upload_endpoint, methods=["POST"]),
    Route(ONE + ":validateUpload", validate_upload, methods=["POST"]),
    Route(ONE + ":getDownloadEndpoint", download_endpoint),
    Route(ONE, get_dataset),
    Route(ONE, patch_dataset, methods=["PATCH"]),
    Route(ONE, delete_dataset, methods=["DELETE"]),
]
