"""What datasets come from and what is made of them: downloads with their lineage, splitting."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import uploads
from localfireworks.batch_files import read_rows
from localfireworks.dataset_fields import DatasetFields
from localfireworks.datasets import (
    COLLECTION,
    ONE,
    files_of,
    folder_of,
    make_from,
    need_ready,
    new_dataset,
    render,
)
from localfireworks.errors import invalid
from localfireworks.listing import read_mask
from localfireworks.names import check_id, resource_name
from localfireworks.service import Message, Service, flag, found, ok, read_body, service_of
from localfireworks.store import Resource

MOST_PARTS = 100
JOB_INPUTS = ("inputDatasetId", "inputDataset", "dataset")


def sources(service: Service, row: Resource) -> Iterator[str]:
    """Names of the datasets that this one was directly made from."""
    for origin in ("splitted", "transformed"):
        given = row.body.get(origin, {}).get("sourceDatasetId", "")
        if given:
            yield given if "/" in given else resource_name(row.account, COLLECTION, given)
    job = service.store.get(row.body["sourceJobName"]) if row.body["sourceJobName"] else None
    if job is None:
        return
    yield from (job.body[field] for field in JOB_INPUTS if job.body.get(field))
    earlier = service.store.get(job.body.get("continuedFromJobName") or "")
    if earlier is not None:
        yield earlier.body["outputDatasetId"]


def lineage(service: Service, row: Resource) -> list[Resource]:
    """The dataset and all that it was made from that still exist, nearest first, each once."""
    found_rows, names = [row], [*sources(service, row)]
    while names:
        source = service.store.get(names.pop(0))
        known = source is None or any(source.name == each.name for each in found_rows)
        if source is not None and not known and source.state == "READY":
            found_rows.append(source)
            names += sources(service, source)
    return found_rows


async def download_endpoint(request: Request) -> Response:
    """Signed URLs of the files; with the lineage, names begin with the id of their dataset."""
    service, row = service_of(request), found(request, COLLECTION)
    need_ready(row)
    urls: dict[str, str] = {}
    if flag(request, "downloadLineage"):
        for each in lineage(service, row):
            urls |= uploads.signed(request, each, "GET", prefix=f"{each.id}/")
    else:
        urls = uploads.signed(request, row, "GET")
    return ok(read_mask({"filenameToSignedUrls": urls}, request.query_params.get("readMask")))


class Split(Message):
    """How to cut: examples of each part, and what the ids of the parts begin with."""

    chunk_size: int = Field(gt=0)
    parent: str = ""


async def split_dataset(request: Request) -> Response:
    """Cut a dataset into parts of `chunkSize` examples, in the order of its lines."""
    service, row = service_of(request), found(request, COLLECTION)
    need_ready(row)
    size = (await read_body(request, Split)).chunk_size
    parts = -(-row.private["rows"] // size)
    if parts > MOST_PARTS:
        raise invalid(f"chunkSize {size} would make {parts} datasets: at most {MOST_PARTS}")
    made = [_part(service, row, f"{row.id}-part-{number}") for number in range(1, parts + 1)]
    await make_from(service, made, lambda: _cut(service, row, made, size))
    return ok({"datasets": [render(part) for part in made]})


def _part(service: Service, source: Resource, id_: str) -> Resource:
    """A dataset of some of the rows, not yet stored."""
    origin = {"splitted": {"sourceDatasetId": source.name}, "format": source.body["format"]}
    part = new_dataset(service, check_id(id_, "id of a part"), DatasetFields.model_validate(origin))
    part.private["generation"] = 1
    return part


def _cut(service: Service, source: Resource, parts: list[Resource], size: int) -> list[dict[str, int]]:
    """Write the lines, `size` to a part; bytes by file name, of each part."""
    lines, made = (line for _, line in read_rows(files_of(service, source))), []
    for part in parts:
        path = folder_of(service, part) / f"{part.id}.jsonl"
        with path.open("wb") as file:
            file.writelines(line if line.endswith(b"\n") else line + b"\n" for line in islice(lines, size))
        made.append({path.name: path.stat().st_size})
    return made


routes = [
    Route(ONE + ":getDownloadEndpoint", download_endpoint),
    Route(ONE + ":splitDataset", split_dataset, methods=["POST"]),
]
