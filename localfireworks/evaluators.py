"""Evaluators: code that scores rows, uploaded or inline (fireworks-api.md, 8)."""

from __future__ import annotations

import shutil
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import evaluator_builds, uploads
from localfireworks.errors import invalid, precondition
from localfireworks.evaluator_builds import ACTIVE, BUILDING, COLLECTION
from localfireworks.evaluator_fields import EvaluatorCreate, EvaluatorFields, entries_of, snippets_of
from localfireworks.jobs import OK_STATUS, active_user
from localfireworks.listing import read_mask, stored_page
from localfireworks.names import check_id, new_id, timestamp
from localfireworks.service import (
    base_url,
    flag,
    found,
    ok,
    own_account,
    parse_body,
    read_body,
    read_json,
    service_of,
)
from localfireworks.store import Resource
from localfireworks.uploads import UploadEndpoint

ENDINGS = (".tar.gz", ".tgz")
LARGEST = 64_000_000  # bytes of an archive


def render(row: Resource) -> dict[str, Any]:
    return {
        "name": row.name,
        "createTime": timestamp(row.created),
        "updateTime": timestamp(row.updated),
        "state": row.state,
        **row.body,
    }


def masked(request: Request, body: dict[str, Any]) -> Response:
    return ok(read_mask(body, request.query_params.get("readMask")))


async def create_evaluator(request: Request) -> Response:
    """BUILDING until code is uploaded and validated; inline code is built at once."""
    own_account(request)
    message, service = await read_body(request, EvaluatorCreate), service_of(request)
    message.evaluator.check()
    body = message.evaluator.body() | {"createdBy": f"{service.account}@localhost", "status": OK_STATUS}
    row = service.new(COLLECTION, check_id(message.evaluator_id or new_id(), "evaluatorId"), BUILDING, body)
    row.private |= uploads.EMPTY
    if snippets_of(body):
        evaluator_builds.order(row)
    return ok(render(service.store.insert(row)))


async def list_evaluators(request: Request) -> Response:
    account, service = own_account(request), service_of(request)
    query = request.query_params
    return ok(stored_page(service.store, COLLECTION, account, query, render))


async def get_evaluator(request: Request) -> Response:
    return masked(request, render(found(request, COLLECTION)))


async def patch_evaluator(request: Request) -> Response:
    """Change fields; with `prepareCodeUpload` it is BUILDING again and waits for new code."""
    row, given = found(request, COLLECTION), await read_json(request)
    was, before = row.state, snippets_of(row.body)
    patch = parse_body(given, EvaluatorFields)
    patch.check()
    changed = {key: value for key, value in patch.body().items() if key in _given(patch)}
    row.body |= changed
    if flag(request, "prepareCodeUpload"):
        row.state = BUILDING
        row.private |= {"files": {}, "generation": row.private["generation"] + 1, "ordered": False}
    elif snippets_of(row.body) != before:
        evaluator_builds.order(row)
    service_of(request).save(row, was=was)
    return ok(render(row))


def _given(patch: EvaluatorFields) -> set[str]:
    """Names, as the API writes them, of the fields that a body had."""
    fields = type(patch).model_fields
    return {fields[name].alias or name for name in patch.model_fields_set}


async def delete_evaluator(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    if job := active_user(service, row.name):
        raise precondition(f"{row.name} is in use by {job.name}")
    if row.private.get("ordered"):
        service.processes.end(evaluator_builds.folder_of(service, row), force=True)
    service.store.delete(row.name)
    uploads.remove(service, row)
    for folder in row.private.get("folders", []):
        shutil.rmtree(service.settings.folder("builds", folder), ignore_errors=True)
    return ok({})


def need_open(row: Resource) -> None:
    """Refuse code for an evaluator that is built, or being built."""
    if row.state != BUILDING or row.private.get("ordered"):
        state = "being built" if row.state == BUILDING else row.state
        raise precondition(f"{row.name} is {state}: PATCH with prepareCodeUpload=true to give it new code")


async def upload_endpoint(request: Request) -> Response:
    """A signed URL for one archive, which replaces any registered before."""
    row, message = found(request, COLLECTION), await read_body(request, UploadEndpoint)
    need_open(row)
    names = list(message.filename_to_size)
    if len(names) != 1 or not names[0].endswith(ENDINGS):
        raise invalid(f"give the code as one archive that ends in {' or '.join(ENDINGS)}")
    if message.filename_to_size[names[0]] > LARGEST:
        raise invalid(f"the archive is larger than {LARGEST} bytes")
    uploads.register(row, message.filename_to_size)
    service_of(request).save(row)
    return masked(request, {"filenameToSignedUrls": uploads.signed(request, row, "PUT")})


async def validate_upload(request: Request) -> Response:
    """Start the build of what was uploaded."""
    service, row = service_of(request), found(request, COLLECTION)
    if row.state == ACTIVE or row.private.get("ordered"):
        return ok({})
    need_open(row)
    if not uploads.complete(service, row):
        raise precondition(f"{row.name}: the registered archive was not uploaded")
    if not entries_of(row.body):
        raise invalid("entry_point is required: path/file.py::function")
    evaluator_builds.order(row)
    service.save(row)
    return ok({})


async def build_log_endpoint(request: Request) -> Response:
    """A signed URL of what the build printed; empty while there was none."""
    service, row = service_of(request), found(request, COLLECTION)
    path = f"{COLLECTION}/{row.account}/{row.id}/log.txt"
    built = row.private.get("folder") and (evaluator_builds.folder_of(service, row) / "log.txt").exists()
    uri = service.signer.sign(base_url(request), "GET", path) if built else ""
    return masked(request, {"buildLogSignedUri": uri})


async def source_code(request: Request) -> Response:
    service, row = service_of(request), found(request, COLLECTION)
    urls = uploads.signed(request, row, "GET") if uploads.complete(service, row) else {}
    return masked(request, {"filenameToSignedUrls": urls})


PARENT = "/v1/accounts/{account}/evaluators"
ONE = PARENT + "/{id:rid}"
routes = [
    Route("/v1/accounts/{account}/evaluatorsV2", create_evaluator, methods=["POST"]),
    Route(PARENT, list_evaluators),
    Route(ONE + ":getUploadEndpoint", upload_endpoint, methods=["POST"]),
    Route(ONE + ":validateUpload", validate_upload, methods=["POST"]),
    Route(ONE + ":getBuildLogEndpoint", build_log_endpoint),
    Route(ONE + ":getSourceCodeSignedUrl", source_code),
    Route(ONE, get_evaluator),
    Route(ONE, patch_evaluator, methods=["PATCH"]),
    Route(ONE, delete_evaluator, methods=["DELETE"]),
]
