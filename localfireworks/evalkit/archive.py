"""Unpack an uploaded archive without trusting it."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

MOST_BYTES, MOST_FILES, MOST_DEPTH = 64_000_000, 1_000, 20
CHUNK = 1 << 20


class BadArchive(ValueError):
    """The archive cannot be used; says why in one line."""


def unpack(archive: Path, target: Path) -> None:
    """Regular files and folders of a `.tar.gz` into an empty folder; BadArchive for anything else in it.

    Nothing is taken from the archive but names and bytes: no links, owners, modes or devices.
    """
    try:
        with tarfile.open(archive, "r:gz") as opened:
            _unpack(opened, target)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BadArchive(f"{archive.name} is not a whole .tar.gz: {error}") from error


def _unpack(opened: tarfile.TarFile, target: Path) -> None:
    total = 0
    for number, member in enumerate(opened):
        if number == MOST_FILES:
            raise BadArchive(f"more than {MOST_FILES} entries")
        place = target / safe(member.name)
        if member.isdir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        if not member.isreg():
            raise BadArchive(f"{member.name!r} is a link or a special file: only plain files are taken")
        total += member.size
        if total > MOST_BYTES:
            raise BadArchive(f"more than {MOST_BYTES} bytes unpacked")
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
    """Inline code (text by name) as files of a folder; BadArchive for a name that leads out of it."""
    for name, text in files.items():
        place = target / safe(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
