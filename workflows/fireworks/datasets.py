"""Datasets: create, fill, download, list. Source: facts sheet 2.

The content of a dataset never changes; each content gets a new id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ..data.staging import Staged, stage
from .client import Fireworks
from .creating import create_once
from .errors import BadAnswer, NotFound, OutcomeUnknown, Permanent
from .fields import Status, integer, moment, text
from .names import full_name, short
from .signed import open_signed, put_signed, signed_urls
from .wire import Json, Timeouts

SMALL_UPLOAD = 150_000_000  # largest multipart upload, bytes
UPLOAD_TIMEOUTS = Timeouts(read=300.0, write=300.0)
READY, UPLOADING = "READY", "UPLOADING"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as Fireworks shows it; `raw` keeps every field."""

    name: str
    state: str
    display_name: str = ""
    format: str = ""
    examples: int | None = None
    estimated_tokens: int | None = None
    created: datetime | None = None
    status: Status = field(default_factory=Status)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ready(self) -> bool:
        """Whether it can be trained on."""
        return self.state == READY


def parse(raw: Mapping[str, Any]) -> Dataset:
    """A dataset from its JSON; a state we do not know is kept as it is."""
    return Dataset(
        name=text(raw, "name"),
        state=text(raw, "state"),
        display_name=text(raw, "displayName"),
        format=text(raw, "format"),
        examples=integer(raw, "exampleCount"),
        estimated_tokens=integer(raw, "estimatedTokenCount"),
        created=moment(raw, "createTime"),
        status=Status.of(raw),
        raw=raw,
    )


def dataset_body(identifier: str, examples: int, display_name: str = "", format_: str = "CHAT") -> Json:
    """Body of a create: the resource is wrapped and the count is a string that the client supplies."""
    dataset: Json = {"exampleCount": str(examples), "userUploaded": {}}
    if format_:
        dataset["format"] = format_
    if display_name:
        dataset["displayName"] = display_name[:63]
    return {"datasetId": identifier, "dataset": dataset}


def get(fireworks: Fireworks, name: str) -> Dataset:
    """One dataset by id or full name. Raises `NotFound`."""
    return parse(fireworks.get(fireworks.path("datasets", name)))


def list_all(fireworks: Fireworks) -> Iterator[Dataset]:
    """All datasets of the account, page by page."""
    for raw in fireworks.pages(fireworks.path("datasets"), "datasets"):
        yield parse(raw)


def create(fireworks: Fireworks, body: Json) -> Dataset:
    """Create the dataset of `dataset_body`, or adopt our own earlier one. Raises `Conflict`."""
    identifier = body["datasetId"]
    path = fireworks.path("datasets")
    found, _ = create_once(
        full_name(fireworks.account, "datasets", identifier),
        {"exampleCount": body["dataset"]["exampleCount"]},
        ("exampleCount",),
        lambda: fireworks.call("POST", path, body=body).json,
        lambda: fireworks.get(f"{path}/{identifier}"),
        fireworks.retries,
    )
    return parse(found)


def upload(fireworks: Fireworks, name: str, file: Path, *, small: int = SMALL_UPLOAD) -> Dataset:
    """Fill an UPLOADING dataset from a `.jsonl` file; READY ones are left alone. Returns it as read after.

    Up to `small` bytes go in one multipart call, larger files through a signed URL, then validation.
    """
    before = get(fireworks, name)
    if before.ready:
        return before
    if file.stat().st_size <= small:
        _upload_small(fireworks, name, file)
    else:
        _upload_large(fireworks, name, file)
    return get(fireworks, name)


def _upload_small(fireworks: Fireworks, name: str, file: Path) -> None:
    path = fireworks.path("datasets", name, "upload")
    with file.open("rb") as content:
        part = {"file": (file.name, content, "application/jsonl")}
        try:
            fireworks.call("POST", path, files=part, timeouts=UPLOAD_TIMEOUTS)
        except OutcomeUnknown:
            if not get(fireworks, name).ready:
                raise


def _upload_large(fireworks: Fireworks, name: str, file: Path) -> None:
    """Endpoint, all bytes, then validation: the other order wedges the dataset (facts sheet 11.8)."""
    path = fireworks.path("datasets", name, "getUploadEndpoint")
    body = {"filenameToSize": {file.name: str(file.stat().st_size)}}
    urls = signed_urls(fireworks.call("POST", path, body=body).json)
    if file.name not in urls:
        raise BadAnswer(f"no upload URL came for {file.name}")
    put_signed(fireworks, urls[file.name], file)
    validate(fireworks, name)


def validate(fireworks: Fireworks, name: str) -> None:
    """Tell Fireworks that all bytes are there; an already READY dataset is fine."""
    try:
        fireworks.call("POST", fireworks.path("datasets", name, "validateUpload"), body={})
    except Permanent:
        if not get(fireworks, name).ready:
            raise


def unready_reason(dataset: Dataset) -> str:
    """Why a dataset cannot be used now, in plain words; "" when it can. Reads nothing."""
    if dataset.ready:
        return ""
    name = short(dataset.name)
    if dataset.state == UPLOADING:
        return f"Dataset {name} is still uploading: finish its upload, or choose another."
    words = f" ({dataset.status.message})" if dataset.status.message else ""
    return f"Dataset {name} is in state {dataset.state or 'unknown'}{words}, not READY."


def file_urls(fireworks: Fireworks, name: str) -> dict[str, str]:
    """Signed URLs of a dataset's files by file name."""
    return signed_urls(fireworks.get(fireworks.path("datasets", name, "getDownloadEndpoint")))


def download_chunks(fireworks: Fireworks, name: str) -> Iterator[bytes]:
    """The dataset's rows as byte chunks; several files are joined in name order, each ending its line."""
    urls = file_urls(fireworks, name)
    rows = {key: url for key, url in urls.items() if key.endswith(".jsonl")} or urls
    if not rows:
        raise NotFound(f"dataset {short(name)} has no files to download")
    for _, url in sorted(rows.items()):
        last = b"\n"
        with open_signed(fireworks, url) as chunks:
            for chunk in chunks:
                yield chunk
                last = chunk[-1:] or last
        if last != b"\n":
            yield b"\n"


def download(
    fireworks: Fireworks,
    name: str,
    target: Path,
    *,
    limit: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Staged:
    """Download to `target`, streamed and hashed; a complete earlier download is kept."""
    return stage(target, lambda: download_chunks(fireworks, name), limit=limit, progress=progress)
