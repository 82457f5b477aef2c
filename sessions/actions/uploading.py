"""Taking in a file: streamed to disk under a name of ours, hashed on the way, then a worker reads it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from django.contrib.auth.models import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from sessions import wake
from sessions.models import Upload
from sessions.models.upload import DATA_SUFFIX, EVALUATOR_SUFFIXES

NAME_LENGTH = 200
EVALUATOR_LIMIT = 8_000_000  # bytes of code and small tables


class Refused(Exception):
    """The file is not taken; the message says why and what to do."""


@dataclass(frozen=True)
class Kind:
    """What may be uploaded at one place: how the name ends, the most bytes, and the remedy in words."""

    suffixes: tuple[str, ...]
    remedy: str
    limit: int


def data(limit: int) -> Kind:
    """Rows to train on or to measure on."""
    remedy = (
        f"Save the data as JSON Lines, one JSON object on each line, with a name that ends in {DATA_SUFFIX}."
    )
    return Kind((DATA_SUFFIX,), remedy, limit)


EVALUATOR = Kind(
    EVALUATOR_SUFFIXES,
    "Give one Python file (.py), or its folder with a requirements.txt as a .zip or .tar.gz.",
    EVALUATOR_LIMIT,
)


def receive(owner: AbstractBaseUser, file: UploadedFile[bytes], kind: Kind) -> Upload:
    """Store one uploaded file and ask a worker to inspect it.

    Raises Refused before anything is kept: a file is there whole, or not at all.
    """
    name, limit = shown_name(file.name or ""), kind.limit
    if not name.lower().endswith(kind.suffixes):
        raise Refused(f"“{name}” is not a {' or '.join(kind.suffixes)} file. {kind.remedy}")
    if (file.size or 0) > limit:
        raise Refused(
            f"“{name}” has {size(file.size or 0)}. The largest file taken is {size(limit)}; split it."
        )
    upload = Upload(owner_id=owner.pk, filename=name, bytes=0, sha256="")
    with ExitStack() as undo:
        undo.callback(upload.path.unlink, missing_ok=True)
        upload.bytes, upload.sha256 = store(file.chunks(), upload.path)
        upload.save()
        undo.pop_all()  # the row is there: the file stays
    transaction.on_commit(partial(wake.inspect_soon, upload.token))
    return upload


def shown_name(raw: str) -> str:
    """The person's name for the file, without folders and control characters: text to show, never a path."""
    last = PurePosixPath(raw.replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable())[-NAME_LENGTH:] or "unnamed"


def store(chunks: Iterable[bytes], target: Path) -> tuple[int, str]:
    """Write the chunks to a file that appears only when it is complete; its bytes and SHA-256 in hex."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    digest, written = hashlib.sha256(), 0
    try:
        with part.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                written += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return written, digest.hexdigest()


def size(count: int) -> str:
    """Bytes in words: 1.5 MB."""
    for unit, span in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= span:
            return f"{count / span:.1f}".removesuffix(".0") + f" {unit}"
    return f"{count} bytes"
