"""Evaluators: code that scores rows, built and run by the provider. Source: facts sheet 8.

The code is a `.tar.gz` with its `requirements.txt`; each content is a new evaluator. The order is: create,
upload, then `get` until it is ACTIVE or BUILD_FAILED.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from .client import Fireworks
from .creating import create_once
from .errors import BadAnswer, Permanent
from .fields import Status, given, text
from .names import full_name
from .signed import put_signed, signed_urls
from .wire import Json

COLLECTION, MADE_AT = "evaluators", "evaluatorsV2"
ACTIVE, BUILDING, BUILD_FAILED = "ACTIVE", "BUILDING", "BUILD_FAILED"


@dataclass(frozen=True, slots=True)
class Authored:
    """An evaluator to be made. `entry_point` is "path/file.py::function" within the archive.

    `content_hash` names the content of the archive; it is kept as the commit, so that a later look can
    tell whether an evaluator of this name holds the same code. `requirements` is pip's file as text.
    """

    entry_point: str
    content_hash: str
    display_name: str = ""
    description: str = ""
    requirements: str = ""
    default_dataset: str = ""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """An evaluator as Fireworks shows it; `raw` keeps every field."""

    name: str
    state: str
    display_name: str = ""
    entry_point: str = ""
    content_hash: str = ""
    requirements: str = ""
    status: Status = field(default_factory=Status)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def active(self) -> bool:
        """Whether it can score."""
        return self.state == ACTIVE

    @property
    def failed(self) -> bool:
        """Whether its build failed: the build log says why."""
        return self.state == BUILD_FAILED


def evaluator_body(identifier: str, authored: Authored) -> Json:
    """Body of a create: the resource is wrapped."""
    evaluator = {
        "displayName": authored.display_name[:63],
        "description": authored.description,
        "entryPoint": authored.entry_point,
        "requirements": authored.requirements,
        "defaultDataset": authored.default_dataset,
        "commitHash": authored.content_hash,
        "source": {"type": "TYPE_UPLOAD"},
    }
    return {"evaluator": given(evaluator), "evaluatorId": identifier}


def parse(raw: Mapping[str, Any]) -> Evaluator:
    """An evaluator from its JSON; a state we do not know is kept as it is."""
    return Evaluator(
        name=text(raw, "name"),
        state=text(raw, "state"),
        display_name=text(raw, "displayName"),
        entry_point=text(raw, "entryPoint"),
        content_hash=text(raw, "commitHash"),
        requirements=text(raw, "requirements"),
        status=Status.of(raw),
        raw=raw,
    )


def create(fireworks: Fireworks, identifier: str, authored: Authored) -> Evaluator:
    """Create under our id, or adopt our own earlier one with the same code. Raises `Conflict`, …"""
    body = evaluator_body(identifier, authored)
    found, _ = create_once(
        full_name(fireworks.account, COLLECTION, identifier),
        {"entryPoint": authored.entry_point, "commitHash": authored.content_hash},
        ("entryPoint",),
        lambda: fireworks.call("POST", fireworks.path(MADE_AT), body=body).json,
        lambda: fireworks.get(fireworks.path(COLLECTION, identifier)),
        fireworks.retries,
    )
    return parse(found)


def get(fireworks: Fireworks, name: str) -> Evaluator:
    """One evaluator by id or full name. Raises `NotFound`."""
    return parse(fireworks.get(fireworks.path(COLLECTION, name)))


def upload(fireworks: Fireworks, name: str, archive: Path) -> None:
    """Fill an evaluator of ours with a `.tar.gz` and start its build; one that has its code is left alone."""
    if get(fireworks, name).active:
        return
    path, size = fireworks.path(COLLECTION, name, "getUploadEndpoint"), archive.stat().st_size
    try:
        answer = fireworks.call("POST", path, body={"filenameToSize": {archive.name: str(size)}})
    except Permanent as refusal:
        if _has_its_code(fireworks, name, refusal):
            return
        raise
    urls = signed_urls(answer.json)
    if archive.name not in urls:
        raise BadAnswer(f"no upload URL came for {archive.name}")
    put_signed(fireworks, urls[archive.name], archive)
    _validate(fireworks, name)


def _has_its_code(fireworks: Fireworks, name: str, refusal: Permanent) -> bool:
    """Whether Fireworks, and not we, refused new code since what was sent before is there."""
    by_fireworks = refusal.status >= HTTPStatus.BAD_REQUEST
    return by_fireworks and get(fireworks, name).state in (BUILDING, ACTIVE)


def _validate(fireworks: Fireworks, name: str) -> None:
    """Say that all bytes are there, which starts the build; one that was built meanwhile is fine."""
    try:
        fireworks.call("POST", fireworks.path(COLLECTION, name, "validateUpload"), body={})
    except Permanent:
        if not get(fireworks, name).active:
            raise


def source_urls(fireworks: Fireworks, name: str) -> dict[str, str]:
    """Signed URLs of an evaluator's code by file name, for `signed.read_signed`; some roles get a 403."""
    return signed_urls(fireworks.get(fireworks.path(COLLECTION, name, "getSourceCodeSignedUrl")))


def build_log_url(fireworks: Fireworks, name: str) -> str:
    """A signed URL of the build's log; "" while there is none."""
    return text(fireworks.get(fireworks.path(COLLECTION, name, "getBuildLogEndpoint")), "buildLogSignedUri")
