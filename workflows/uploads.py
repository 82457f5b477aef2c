"""Read an uploaded file, so that its card on the page can say what is in it."""

from __future__ import annotations

from sessions.models import Upload
from workflows.data.inspection import inspect as inspect_file


def inspect(token: str) -> None:
    """Keep what was found in the upload's row; a file that is gone meanwhile is left alone."""
    upload = Upload.objects.filter(token=token, inspection__isnull=True).first()
    if upload and upload.path.exists():
        found = inspect_file(upload.path).to_json()
        Upload.objects.filter(pk=upload.pk).update(inspection=found)
