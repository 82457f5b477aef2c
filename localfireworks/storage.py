"""The storage service behind signed URLs: uploads of registered files, downloads of anything we signed."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from localfireworks import uploads
from localfireworks.names import resource_name
from localfireworks.service import Service, service_of
from localfireworks.signing import StorageError
from localfireworks.store import Resource

UPLOADED = ("datasets", "evaluators", "models")
BINARY = "application/octet-stream"


def _row(service: Service, collection: str, account: str, id_: str) -> Resource:
    row = service.store.get(resource_name(account, collection, id_))
    if row is None:
        raise StorageError(404, "NoSuchKey", "The specified key does not exist.")
    return row


def _registered_file(service: Service, parts: list[str]) -> tuple[Resource, Path]:
    """The row and the file of `{collection}/{account}/{id}/{generation}/{name}`."""
    collection, account, id_, generation, name = parts
    row = _row(service, collection, account, id_)
    if str(row.private["generation"]) != generation or name not in row.private["files"]:
        raise StorageError(404, "NoSuchKey", "This file is no longer registered; ask for a new URL.")
    return row, uploads.folder_of(service, row) / name


def stored_file(service: Service, path: str) -> Path:
    """The file a signed download path stands for."""
    parts = path.split("/")
    if parts[0] in UPLOADED and len(parts) == 5:
        return _registered_file(service, parts)[1]
    if parts[0] == "models" and len(parts) == 4:
        return Path(_row(service, "models", parts[1], parts[2]).private["adapter"]) / parts[3]
    if parts[0] == "evaluators" and len(parts) == 4:
        row = _row(service, "evaluators", parts[1], parts[2])
        return service.settings.folder("builds", row.private["folder"]) / parts[3]
    if parts[0] == "jobs" and len(parts) == 5:
        job = _row(service, parts[1], parts[2], parts[3])
        return service.settings.folder("jobs", job.private["folder"]) / parts[4]
    raise StorageError(404, "NoSuchKey", "The specified key does not exist.")


async def download(request: Request) -> Response:
    service, path = service_of(request), str(request.path_params["path"])
    service.signer.check("GET", path, request.query_params, request.headers)
    file = stored_file(service, path)
    if not file.is_file():
        raise StorageError(404, "NoSuchKey", "The specified key does not exist.")
    if path.startswith(("jobs/", "evaluators/")):
        # It may grow while it is sent; a response of announced length must not.
        return Response(file.read_bytes(), media_type=BINARY)
    return FileResponse(file, media_type=BINARY)


def _open_file(service: Service, path: str) -> Path:
    """The registered file that an upload path stands for, while its content may still change."""
    row, file = _registered_file(service, path.split("/"))
    if row.state not in uploads.OPEN_STATES:
        raise StorageError(412, "PreconditionFailed", f"It is {row.state}; its content cannot change.")
    return file


async def upload(request: Request) -> Response:
    """Take a file of exactly the signed length; it appears only when it is whole."""
    service, path = service_of(request), str(request.path_params["path"])
    size = service.signer.check("PUT", path, request.query_params, request.headers) or 0
    with uploads.whole(_open_file(service, path)) as target:
        written = 0
        async for chunk in request.stream():
            written += len(chunk)
            if written > size:
                raise StorageError(400, "EntityTooLarge", f"Signed for {size} bytes, more came.")
            target.write(chunk)
        if written < size:
            raise StorageError(400, "EntityTooSmall", f"Signed for {size} bytes, got {written}.")
        _open_file(service, path)  # it may have been made READY, or registered anew, meanwhile
    return Response(status_code=200)


async def on_storage_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, StorageError)  # noqa: S101 - tells the type checker what Starlette promises
    return error.response()


routes = [
    Route("/storage/{path:path}", download),
    Route("/storage/{path:path}", upload, methods=["PUT"]),
]
