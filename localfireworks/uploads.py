"""Sets of files that come up and down by signed URLs: of a dataset, an evaluator, a model.

Each registration replaces the set and begins an empty folder, so that bytes of an older set never count.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from pydantic import Field
from starlette.requests import Request

from localfireworks.errors import invalid
from localfireworks.names import new_id
from localfireworks.service import Message, Service, base_url, service_of
from localfireworks.store import Resource

EMPTY: dict[str, Any] = {"files": {}, "generation": 0}
LONGEST_NAME = 255  # bytes, of file systems
OPEN_STATES = frozenset({"UPLOADING", "BUILDING"})


class UploadEndpoint(Message):
    """What is about to come: bytes by file name."""

    filename_to_size: dict[str, Annotated[int, Field(le=2**63 - 1)]]


def folder_of(service: Service, row: Resource) -> Path:
    """Where the registered set of files lies."""
    place = (row.collection,) if row.collection == "datasets" else ("uploads", row.collection)
    generation = str(row.private["generation"])
    return service.settings.folder(*place, row.id, f"{row.created:.6f}", generation).resolve()


def files_of(service: Service, row: Resource) -> list[Path]:
    return [folder_of(service, row) / name for name in sorted(row.private["files"])]


def remove(service: Service, row: Resource) -> None:
    """Delete every set of files the row ever had."""
    shutil.rmtree(folder_of(service, row).parent, ignore_errors=True)


def flat(name: str, *, ending: str = "") -> str:
    """The file name when it is a plain one with the ending; INVALID_ARGUMENT for paths and hidden files."""
    if not name or "/" in name or "\\" in name or "\0" in name or name.startswith("."):
        raise invalid(f"invalid filename {name!r}: give a flat name")
    if len(name.encode()) > LONGEST_NAME:
        raise invalid(f"invalid filename {name[:40]!r}…: at most {LONGEST_NAME} bytes")
    if not name.endswith(ending):
        raise invalid(f"invalid filename {name!r}: give a flat name that ends in {ending}")
    return name


def register(row: Resource, sizes: dict[str, int], *, ending: str = "") -> None:
    """Replace the registered file set (bytes by name); the change is not yet stored."""
    if not sizes:
        raise invalid("filenameToSize names no file")
    for name, size in sizes.items():
        flat(name, ending=ending)
        if size <= 0:
            raise invalid(f"file {name!r} is empty")
    row.private |= {"files": sizes, "generation": row.private["generation"] + 1}


@contextmanager
def whole(file: Path) -> Iterator[BinaryIO]:
    """Takes bytes under a name of its own; the file appears, whole, when nothing was raised."""
    partial = file.with_name(f".{new_id()}.part")
    try:
        with partial.open("xb") as target:
            yield target
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def complete(service: Service, row: Resource) -> bool:
    """Whether every registered file has come."""
    files = files_of(service, row)
    return bool(files) and all(path.is_file() for path in files)


def signed(request: Request, row: Resource, method: str, prefix: str = "") -> dict[str, str]:
    """Signed URLs of the whole set; for PUT each is bound to the length that was registered."""
    service, base = service_of(request), base_url(request)
    place = f"{row.collection}/{row.account}/{row.id}/{row.private['generation']}"
    return {
        prefix + name: service.signer.sign(base, method, f"{place}/{name}", size if method == "PUT" else None)
        for name, size in sorted(row.private["files"].items())
    }
