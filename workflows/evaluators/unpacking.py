"""Unpack a brought evaluator: one `.py`, a `.zip` or a `.tar.gz`, within bounds and inside its folder.

An archive is foreign: its names may point outside, its links anywhere, and a few kilobytes of it may grow to
gigabytes. Regular files alone are written, under names that stay inside, and bytes are counted as they come.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO

from workflows.evaluators.folders import LEFT_OUT, MOST_BYTES, MOST_ENTRIES, NotTaken
from workflows.evaluators.limits import MEBIBYTE
from workflows.evaluators.results import clean

SINGLE = "evaluator.py"  # what one `.py` is called inside
HEADERS = 4 * MEBIBYTE  # of a tar, beside its files: long names are kept in them
ZIP, GZIP = b"PK", b"\x1f\x8b"
BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what Python unpacks no further than it is asked to
UNREADABLE = (
    EOFError,
    OSError,
    RuntimeError,  # a password, or a compression that Python does not know
    ValueError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def unpacked(source: Path, target: Path) -> None:
    """The files of `source`, by its content and not its name, in the new folder `target`. Raises NotTaken."""
    target.mkdir(parents=True)
    with source.open("rb") as file:
        begin = file.read(2)
    try:
        if begin == ZIP:
            from_zip(source, target)
        elif begin == GZIP:
            from_tar(source, target)
        else:
            single(source, target)
    except UNREADABLE as fault:
        raise NotTaken(f"it cannot be unpacked: {clean(str(fault)) or type(fault).__name__}") from fault


def single(source: Path, target: Path) -> None:
    """One Python file."""
    with source.open("rb") as file:
        Room(target).write(SINGLE, file)
    if b"\x00" in (target / SINGLE).read_bytes():
        raise NotTaken("it is neither Python, nor a .zip, nor a .tar.gz")


def from_zip(source: Path, target: Path) -> None:
    room = Room(target)
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            room.admit(member.filename, regular=kind in (0, stat.S_IFREG, stat.S_IFDIR))
            if member.compress_type not in BOUNDED:
                raise NotTaken(
                    f"{clean(member.filename)} is not compressed the usual way; zip it with deflate"
                )
            if not member.is_dir():
                with archive.open(member) as file:
                    room.write(member.filename, file)


def from_tar(source: Path, target: Path) -> None:
    room = Room(target)
    with (
        gzip.open(source) as plain,
        closing(Bounded(plain, MOST_BYTES + HEADERS)) as bounded,
        tarfile.open(fileobj=bounded, mode="r|") as archive,
    ):
        for member in archive:
            room.admit(member.name, regular=member.isreg() or member.isdir())
            file = archive.extractfile(member) if member.isreg() else None
            if file:
                room.write(member.name, file)


class Bounded(io.RawIOBase):
    """A stream that ends in NotTaken after so many bytes: a tar's headers are read before we see them."""

    def __init__(self, plain: gzip.GzipFile, most: int) -> None:
        self.plain, self.left = plain, most

    def read(self, size: int = -1) -> bytes:
        found = self.plain.read(min(size, self.left + 1) if size >= 0 else self.left + 1)
        self.left -= len(found)
        if self.left < 0:
            raise too_large()
        return found


class Room:
    """A folder that takes at most so many entries and bytes, and no name that leads out of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.entries, self.left = folder, 0, MOST_BYTES

    def admit(self, name: str, *, regular: bool) -> None:
        """Count an entry. Raises NotTaken for one too many, and for links, pipes and devices."""
        self.entries += 1
        if self.entries > MOST_ENTRIES:
            raise NotTaken(f"it holds more than {MOST_ENTRIES:,} files and folders")
        if not regular:
            raise NotTaken(f"{clean(name)} in it is a link or no regular file; put the file itself there")

    def write(self, name: str, file: IO[bytes]) -> None:
        """One file, unless it is of no use to an evaluator. Raises NotTaken."""
        parts = inside(name)
        if LEFT_OUT & set(parts):
            return
        place = self.folder.joinpath(*parts)
        if place.exists():
            raise NotTaken(f"{clean(name)} is in it twice")
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as out:
            for chunk in chunks(file):
                self.left -= len(chunk)
                if self.left < 0:
                    raise too_large()
                out.write(chunk)


def inside(name: str) -> tuple[str, ...]:
    """The parts of a relative path that stays in its folder. Raises NotTaken."""
    path = PurePosixPath(name)
    parts = tuple(part for part in path.parts if part != ".")
    if path.is_absolute() or not parts or ".." in parts or "\\" in name or not name.isprintable():
        raise NotTaken(f"the name {clean(name)[:80]!r} in it leads out of its folder or cannot be used")
    return parts


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(1 << 16):
        yield chunk


def too_large() -> NotTaken:
    return NotTaken(f"unpacked it is larger than {MOST_BYTES // MEBIBYTE} MB")
