"""The data that can be picked on the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sessions import queries, sources
from sessions.queries import Person
from sessions.sources import UPLOAD, Source

DATASETS_SHOWN = 200
UPLOADS_SHOWN = 5


@dataclass(frozen=True)
class Choices:
    """Datasets of the account, the person's last uploads, and picked names that are in neither."""

    datasets: list[Source]
    uploads: list[Source]
    unlisted: str
    unlisted_evaluation: str
    remote: bool  # the picked data is a dataset of the account: what its rows hold is not known yet
    more: bool


def choices(person: Person, fields: Mapping[str, str]) -> Choices:
    """What is offered; what can be used comes first, and the picked upload has its own card."""
    picked, evaluation = fields.get("dataset", ""), fields.get("evaluation_dataset", "")
    rows = [sources.of_dataset(row) for row in queries.datasets()[: DATASETS_SHOWN + 1]]
    datasets = sorted(rows[:DATASETS_SHOWN], key=lambda each: (not each.ready, each.label.lower()))
    latest = queries.data_uploads(person)[: UPLOADS_SHOWN + 1]
    uploads = [sources.of_upload(row) for row in latest if row.reference != picked][:UPLOADS_SHOWN]
    listed = {"", *(each.name for each in datasets), *(each.name for each in uploads)}
    return Choices(
        datasets=datasets,
        uploads=uploads,
        unlisted=picked if picked not in listed and not picked.startswith(UPLOAD) else "",
        unlisted_evaluation=evaluation if evaluation not in listed else "",
        remote=bool(picked) and not picked.startswith(UPLOAD),
        more=len(rows) > DATASETS_SHOWN,
    )
