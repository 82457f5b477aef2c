"""Unpack an uploaded archive without trusting it."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path, PurePosixPath

MOST_BYTES, MOST_FILES, MOST_DEPTH = 64_000_000, 1_000, 20
MOST_HEADERS = 4_000_000  # bytes of everything in an archive that is no content: headers, names, padding
CHUNK = 1 << 16  # bytes read at once; so the longest single header (tarfile reads one whole)
BLOCK = 512
FAULTS = (tarfile.TarError, zlib.error, EOFError, OSError, RecursionError, OverflowError)


class BadArchive(ValueError):
    """The archive cannot be used; says why in one line."""


class Bounded:
    """The unpacked stream as `tarfile` reads it. `left` is how many bytes may still be read: what was not
    announced as the content of a file is a header, and gigabytes of headers fit in 64 MB of gzip."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self.left, self.last = MOST_HEADERS, b""
        self.seek, self.tell = packed.seek, packed.tell

    def read(self, size: int) -> bytes:
        self.left -= size
        if size > CHUNK or self.left < 0:
            raise BadArchive("the headers of the archive are too long")
        self.last = self._packed.read(size)
        return self.last


def unpack(archive: Path, target: Path) -> None:
    """Regular files and folders of a `.tar.gz` into an empty folder; BadArchive for anything else in it.

    Nothing is taken from the archive but names and bytes: no links, owners, modes or devices. It is read to
    its end, so that a broken checksum is found.
    """
    try:
        with gzip.open(archive, "rb") as packed:
            stream = Bounded(packed)
            with tarfile.open(fileobj=stream, mode="r:") as opened:  # type: ignore[call-overload]
                _unpack(opened, stream, target)
            if len(stream.last) != BLOCK or any(stream.last):
                raise BadArchive(f"{archive.name} is not a whole .tar.gz: it has no end")
            while stream.read(CHUNK):
                pass
    except FAULTS as error:
        raise BadArchive(f"{archive.name} is not a whole .tar.gz: {error}") from error


def _unpack(opened: tarfile.TarFile, stream: Bounded, target: Path) -> None:
    total = number = 0
    while (member := opened.next()) is not None:
        opened.members.clear()  # type: ignore[attr-defined]  # it would keep the headers of all of them
        number += 1
        if number > MOST_FILES:
            raise BadArchive(f"more than {MOST_FILES} entries")
        place = target / safe(member.name)
        if member.isdir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        if not member.isreg() or member.issparse() or member.size < 0:
            raise BadArchive(f"{member.name!r} is a link or a special file: only plain files are taken")
        total += member.size
        if total > MOST_BYTES:
            raise BadArchive(f"more than {MOST_BYTES} bytes unpacked")
        stream.left += member.size
        _write(opened, member, place)


def _write(opened: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    source = opened.extractfile(member)
    if source is None or place.exists():
        raise BadArchive(f"{member.name!r} appears twice")
    place.parent.mkdir(parents=True, exist_ok=True)
    with source, place.open("xb") as file:
        while chunk := source.read(CHUNK):
            file.write(chunk)


def safe(name: str) -> PurePosixPath:
    """The path of a member when it stays below the folder, else BadArchive."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise BadArchive(f"{name!r} points out of the archive")
    if len(path.parts) > MOST_DEPTH:
        raise BadArchive(f"{name!r} is too deep")
    return path


def write_snippets(files: dict[str, str], target: Path) -> None:
    """Inline code (text by name) as files of a folder, within the limits of an archive; else BadArchive."""
    if len(files) > MOST_FILES:
        raise BadArchive(f"more than {MOST_FILES} snippets")
    total = 0
    for name, text in files.items():
        place = target / safe(name)
        try:
            content = text.encode()
            total += len(content)
            if total > MOST_BYTES:
                raise BadArchive(f"more than {MOST_BYTES} bytes of snippets")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        except UnicodeEncodeError as error:
            raise BadArchive(f"snippet {name!r} has a character that is no text") from error
        except OSError as error:
            why = f"{error.strerror}: a name cannot be both a file and a folder, nor longer than 255 bytes"
            raise BadArchive(f"snippet {name!r} cannot be written ({why})") from error
