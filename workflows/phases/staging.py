"""The session's own copy of its data: brought in once, streamed, never changed (product row 1.13)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sessions.models import Upload
from workflows.data.staging import StagingError, stage_file
from workflows.faults import DataFault
from workflows.fireworks import datasets, names
from workflows.fireworks.errors import NotFound
from workflows.work import Work

UPLOAD = "upload:"
LIMIT = 20 * 2**30  # bytes; more than any dataset that managed fine-tuning takes


@dataclass(frozen=True)
class Source:
    """A staged file and where it came from, in words."""

    path: Path
    words: str


def bring_in(work: Work, reference: str, name: str) -> Source:
    """Stage an upload or a dataset of the account as `name`. Raises DataFault when it cannot be had."""
    target = work.folder / name
    if reference.startswith(UPLOAD):
        return from_upload(work, reference.removeprefix(UPLOAD), target)
    return from_fireworks(work, reference, target)


def from_upload(work: Work, token: str, target: Path) -> Source:
    """Copy a file that the session's owner uploaded."""
    upload = Upload.objects.filter(token=token, owner=work.session.owner).first()
    if upload is None or not (upload.path.exists() or target.exists()):
        raise DataFault("The uploaded file is not there any more.", "Upload it again and start anew.")
    if not target.exists():
        with upload.path.open("rb") as file:
            stage_file(target, file)
    return Source(target, f"upload {upload.filename}")


def from_fireworks(work: Work, reference: str, target: Path) -> Source:
    """Download a READY dataset of the account."""
    try:
        dataset = datasets.get(work.fireworks, reference)
        reason = datasets.unready_reason(dataset)
        if reason:
            raise DataFault(reason, "Wait until it is READY, or choose another dataset.")
        datasets.download(work.fireworks, reference, target, limit=LIMIT)
    except NotFound as error:
        remedy = "Choose one from the list, or upload a file."
        raise DataFault(f"There is no dataset {reference}.", remedy) from error
    except StagingError as error:
        raise DataFault(str(error), "Choose a smaller dataset.") from error
    return Source(target, f"dataset {names.short(reference)}")
