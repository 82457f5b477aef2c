"""What datasets come from and what is made of them: downloads with their lineage, splitting."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

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
    count,
    files_of,
    folder_of,
    need_ready,
    new_dataset,
    render,
)
from localfireworks.errors import already_exists, invalid
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
    """Cut a dataset into READY parts of `chunkSize` examples, in the order of its lines."""
    service, row = service_of(request), found(request, COLLECTION)
    need_ready(row)
    size = (await read_body(request, Split)).chunk_size
    parts = -(-row.private["rows"] // size)
    if parts > MOST_PARTS:
        raise invalid(f"chunkSize {size} would make {parts} datasets: at most {MOST_PARTS}")
    ids = [check_id(f"{row.id}-part-{number}", "id of a part") for number in range(1, parts + 1)]
    for id_ in ids:
        if service.store.get(resource_name(row.account, COLLECTION, id_)) is not None:
            raise already_exists(resource_name(row.account, COLLECTION, id_))
    lines = (line for _, line in read_rows(files_of(service, row)))
    made = [_part(service, row, id_, islice(lines, size)) for id_ in ids]
    for part in made:
        await count(service, part)
        service.save(part)
    return ok({"datasets": [render(part) for part in made]})


def _part(service: Service, source: Resource, id_: str, lines: Iterator[bytes]) -> Resource:
    fields = DatasetFields.model_validate(
        {"splitted": {"sourceDatasetId": source.name}, "format": source.body["format"]}
    )
    part = new_dataset(service, id_, fields)
    name = f"{id_}.jsonl"
    part.private["generation"] = 1
    path: Path = folder_of(service, part) / name
    with path.open("wb") as file:
        file.writelines(line if line.endswith(b"\n") else line + b"\n" for line in lines)
    part.private["files"] = {name: path.stat().st_size}
    part.state = "READY"
    return service.store.insert(part)


routes = [
    Route(ONE + ":getDownloadEndpoint", download_endpoint),
    Route(ONE + ":splitDataset", split_dataset, methods=["POST"]),
]
