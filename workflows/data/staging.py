"""Bringing bytes into a workspace once: streamed, hashed, complete or not there at all.

A file is written under a temporary name, flushed to disk and renamed; beside it `NAME.staged.json` records
bytes and hash. A second staging of the same target finds the record and keeps the file.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

CHUNK = 1 << 20


class StagingError(Exception):
    """The bytes could not be brought in; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A complete file: `bytes` long, with its SHA-256 in hex. `kept` when it was there before."""

    path: Path
    bytes: int
    sha256: str
    kept: bool = False


class Readable(Protocol):
    """Anything with `read(size) -> bytes`: an upload, an open file."""

    def read(self, size: int = ..., /) -> bytes:
        """At most `size` bytes, empty at the end."""
        ...


class HashingWriter:
    """A binary file that counts and hashes what is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self.bytes = file, hashlib.sha256(), 0

    def write(self, chunk: bytes) -> None:
        """Append a chunk."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self.bytes += len(chunk)

    @property
    def sha256(self) -> str:
        """Hash of everything written so far, in hex."""
        return self._hash.hexdigest()


@contextmanager
def atomic(target: Path) -> Iterator[HashingWriter]:
    """Write `target` whole or not at all: temporary name in the same folder, fsync, rename."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb", buffering=CHUNK) as file:
            yield HashingWriter(file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)  # there only when something went wrong
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; Windows cannot and need not."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def record_path(target: Path) -> Path:
    """Where the record of a staged file lies."""
    return target.with_name(f"{target.name}.staged.json")


def staged(target: Path, *, rehash: bool = False) -> Staged | None:
    """What was staged at `target` when it is complete, else None.

    The size is always compared with the record; with `rehash` the whole content is.
    """
    try:
        record = orjson.loads(record_path(target).read_bytes())
        found = Staged(target, int(record["bytes"]), str(record["sha256"]), kept=True)
        size = target.stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if size != found.bytes or (rehash and hash_file(target) != found.sha256):
        return None
    return found


def stage(
    target: Path,
    source: Callable[[], Iterable[bytes]],
    *,
    limit: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Staged:
    """Bring the chunks of `source()` to `target`, or keep a complete file that is already there.

    `source` is called only when bytes are needed. `limit` is the largest size in bytes (0: none);
    `progress` is told the bytes so far. Raises `StagingError` when the limit is passed.
    """
    already = staged(target)
    if already:
        return already
    with atomic(target) as out:
        for chunk in source():
            out.write(chunk)
            if limit and out.bytes > limit:
                raise StagingError(f"the file is larger than {limit:,} bytes; split it or raise the limit")
            if progress:
                progress(out.bytes)
    done = Staged(target, out.bytes, out.sha256)
    with atomic(record_path(target)) as record:
        record.write(orjson.dumps({"bytes": done.bytes, "sha256": done.sha256}))
    return done


def chunks(file: Readable, size: int = CHUNK) -> Iterator[bytes]:
    """The content of a file object in pieces."""
    while piece := file.read(size):
        yield piece


def stage_file(target: Path, file: Readable, **options: Any) -> Staged:
    """Stage an upload or any open binary file; options as for `stage`."""
    return stage(target, lambda: chunks(file), **options)


def hash_file(path: Path) -> str:
    """SHA-256 of a file in hex, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(found: Staged) -> dict[str, Any]:
    """A staged file as JSON-ready values."""
    return {**asdict(found), "path": str(found.path)}
