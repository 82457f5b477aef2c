"""The session's own datasets on Fireworks: a split file becomes a dataset once."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.models import Artifact, Resource
from workflows.creating import Wanted, ensure
from workflows.fireworks import datasets, names
from workflows.fireworks.errors import Temporary
from workflows.work import Work


@dataclass(frozen=True)
class Part:
    """A part of the data: the artifact that holds its rows, and what it is for."""

    artifact: str
    purpose: str
    words: str
    format: str = "CHAT"  # empty: requests of a batch, which are none of the API's formats


SAMPLE = Part("sample.jsonl", "dataset-sample", "training rows of the candidates")
TRAIN = Part("train.jsonl", "dataset-train", "all training rows")
HELDOUT = Part("heldout.jsonl", "dataset-heldout", "held-out rows")


def uploaded(work: Work, part: Part) -> str:
    """Full name of the READY dataset with the rows of `part`; uploads them the first time."""
    artifact = Artifact.objects.get(session=work.session, name=part.artifact)
    rows = int(artifact.detail["rows"])

    def make(resource: Resource) -> None:
        identifier = names.short(resource.name)
        label = f"{part.words} of session {work.session.public_id}"
        datasets.create(work.fireworks, datasets.dataset_body(identifier, rows, label, part.format))
        datasets.upload(work.fireworks, resource.name, artifact.path)

    request = {"sha256": artifact.sha256, "rows": rows}
    wanted = Wanted("dataset", "datasets", part.purpose, request=request)
    name = ensure(work, wanted, make).name
    reason = datasets.unready_reason(datasets.get(work.fireworks, name))
    if reason:  # the bytes are there; Fireworks may still be checking them
        raise Temporary(reason)
    return name


def training_part(work: Work) -> Part:
    """What the candidates train on: the sample, or all training rows when there are no more than that."""
    has_sample = Artifact.objects.filter(session=work.session, name=SAMPLE.artifact).exists()
    return SAMPLE if has_sample else TRAIN
