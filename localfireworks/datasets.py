"""Datasets: rows in the database, files in the data folder (fireworks-api.md, 2)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive

from localfireworks import uploads
from localfireworks.dataset_fields import DatasetCreate, DatasetFields, DatasetPatch
from localfireworks.errors import invalid, not_found, precondition
from localfireworks.jobs import active_user
from localfireworks.listing import read_mask, stored_page
from localfireworks.names import check_display_name, check_id, resource_name, timestamp
from localfireworks.service import Service, found, ok, own_account, read_body, service_of
from localfireworks.store import Resource
from localfireworks.uploads import UploadEndpoint

COLLECTION = "datasets"
UPLOAD_LIMIT = 150_000_000  # bytes of one multipart upload
CHUNK = 1 << 20
ENDING = ".jsonl"


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
        "sourceJobName": fields.source_job_name,
        **fields.origin(),
    }
    row = service.new(COLLECTION, check_id(id_, "datasetId"), "UPLOADING", body)
    row.private |= {**uploads.EMPTY, "rows": 0}
    return row


def made_dataset(
    service: Service, id_: str, title: str, job: str, origin: dict[str, Any] | None = None
) -> Resource:
    """A READY dataset that a job makes, not yet stored: the caller fills its folder and says with what."""
    fields = DatasetFields.model_validate({"displayName": title, "sourceJobName": job, **(origin or {})})
    row = new_dataset(service, id_, fields)
    if not origin:
        del row.body["userUploaded"]
    row.state, row.private["generation"] = "READY", 1
    return row


def folder_of(service: Service, row: Resource) -> Path:
    return uploads.folder_of(service, row)


def files_of(service: Service, row: Resource) -> list[Path]:
    return uploads.files_of(service, row)


def register(row: Resource, sizes: dict[str, int]) -> None:
    """Replace the registered file set (bytes by name); the change is not yet stored."""
    uploads.register(row, sizes, ending=ENDING)


def need_uploading(row: Resource) -> None:
    """Refuse content for a dataset that has its own, or that is stuck."""
    if row.private.get("wedged"):
        # Seen on the real service: after a validation that came too early, no way to upload is left.
        raise HTTPException(405, "Method Not Allowed")
    if row.state != "UPLOADING":
        raise precondition(f"{row.name} is {row.state}: its content cannot change, make a new dataset")


def need_ready(row: Resource) -> None:
    if row.state != "READY":
        raise precondition(f"{row.name} is {row.state}")


async def count(service: Service, row: Resource) -> None:
    """Look at the files and say what they hold; the change is not yet stored."""
    seen = await service.backend.inspect(files_of(service, row))
    if row.body["exampleCount"] == "0":
        row.body["exampleCount"] = str(seen.rows)
    row.body["estimatedTokenCount"] = str(seen.tokens)
    row.body["averageTurnCount"] = seen.average_turns
    row.private["rows"] = seen.rows


async def make_ready(service: Service, row: Resource) -> None:
    """Count what was uploaded and make the dataset READY."""
    await count(service, row)
    row.state = "READY"
    service.save(row, was="UPLOADING")


async def make_from(
    service: Service, rows: Sequence[Resource], write: Callable[[], list[dict[str, int]]]
) -> None:
    """Store datasets whose files `write` makes in a thread; it gives their bytes by name, a dataset each.

    All become READY at once, when everything is counted. Until then nobody else may give them
    content, and when something fails none is left.
    """
    with service.store.transaction():
        for row in rows:
            row.private["wedged"] = True
            service.store.insert(row)
    with ExitStack() as undo:
        for row in rows:
            undo.callback(_forget, service, row)
        for row, files in zip(rows, await asyncio.to_thread(write), strict=True):
            row.private["files"] = files
            await count(service, row)
        with service.store.transaction():
            for row in rows:
                row.state, row.private["wedged"] = "READY", False
                if not service.save(row, was="UPLOADING"):
                    raise not_found(row.name)
        undo.pop_all()


def _forget(service: Service, row: Resource) -> None:
    service.store.delete(row.name)
    uploads.remove(service, row)


async def create_dataset(request: Request) -> Response:
    account = own_account(request)
    message, service = await read_body(request, DatasetCreate), service_of(request)
    if not message.source_dataset_id:
        return ok(render(service.store.insert(new_dataset(service, message.dataset_id, message.dataset))))
    name = message.source_dataset_id
    source = service.store.get(name if "/" in name else resource_name(account, COLLECTION, name))
    if source is None or source.collection != COLLECTION:
        raise not_found(name)
    need_ready(source)
    return ok(render(await copied(service, message, source)))


async def copied(service: Service, message: DatasetCreate, source: Resource) -> Resource:
    """A dataset made from another one: its files, in a READY dataset of its own."""
    fields = message.dataset
    if not fields.model_fields_set & {"user_uploaded", "transformed", "splitted"}:
        origin = {"sourceDatasetId": source.name, "originalFormat": source.body["format"]}
        fields = DatasetFields.model_validate(
            {"transformed": origin, **fields.model_dump(by_alias=True, exclude_unset=True)}
        )
    row = new_dataset(service, message.dataset_id, fields)
    row.private["generation"] = 1

    def copy() -> list[dict[str, int]]:
        for path in files_of(service, source):
            shutil.copyfile(path, folder_of(service, row) / path.name)
        return [source.private["files"]]

    await make_from(service, [row], copy)
    return row


async def list_datasets(request: Request) -> Response:
    account, service = own_account(request), service_of(request)
    return ok(stored_page(service.store, COLLECTION, account, request.query_params, render))


async def get_dataset(request: Request) -> Response:
    return ok(read_mask(render(found(request, COLLECTION)), request.query_params.get("readMask")))


async def patch_dataset(request: Request) -> Response:
    row, patch = found(request, COLLECTION), await read_body(request, DatasetPatch)
    row.body = patch.apply(row.body)
    service_of(request).save(row)
    return ok(render(row))


async def delete_dataset(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if job := active_user(service, row.name):
        raise precondition(f"{row.name} is in use by {job.name}")
    service.store.delete(row.name)
    uploads.remove(service, row)
    return ok({})


def at_most(limit: int, receive: Receive) -> Receive:
    """Passes a body on until it has more bytes than the limit; what the header says of it is not believed."""
    left = limit

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise invalid("file is larger than 150 MB: use :getUploadEndpoint")
        return message

    return counted


async def upload(request: Request) -> Response:
    """Multipart upload of one file; the dataset is READY after it."""
    service, row = service_of(request), found(request, COLLECTION)
    need_uploading(row)
    async with Request(request.scope, at_most(UPLOAD_LIMIT, request.receive)).form() as form:
        part = form.get("file")
        if not isinstance(part, UploadFile) or not part.filename:
            raise invalid("the multipart body has no file in part 'file'")
        register(row, {part.filename: part.size or 0})
        with uploads.whole(folder_of(service, row) / part.filename) as target:
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
    need_uploading(row)
    register(row, message.filename_to_size)
    service.save(row)
    return ok({"filenameToSignedUrls": uploads.signed(request, row, "PUT")})


async def validate_upload(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if row.state == "READY":
        return ok({})
    if row.private.get("wedged") or not uploads.complete(service, row):
        row.private["wedged"] = True
        service.save(row)
        raise precondition(f"{row.name}: not all registered files were uploaded")
    await make_ready(service, row)
    return ok({})


PARENT = "/v1/accounts/{account}/datasets"
ONE = PARENT + "/{id:rid}"
routes = [
    Route(PARENT, list_datasets),
    Route(PARENT, create_dataset, methods=["POST"]),
    Route(ONE + ":upload", upload, methods=["POST"]),
    Route(ONE + ":getUploadEndpoint", upload_endpoint, methods=["POST"]),
    Route(ONE + ":validateUpload", validate_upload, methods=["POST"]),
    Route(ONE, get_dataset),
    Route(ONE, patch_dataset, methods=["PATCH"]),
    Route(ONE, delete_dataset, methods=["DELETE"]),
]
