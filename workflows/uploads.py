"""Read an uploaded file, so that its card on the page can say what is in it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from sessions.models import Upload
from workflows.data.formats import CHOSEN, PAIRS
from workflows.data.inspection import inspect as inspect_file
from workflows.data.preference import inspection as preference
from workflows.data.preference.detecting import TAKEN
from workflows.evaluators import brought, packages
from workflows.evaluators.folders import NotTaken
from workflows.evaluators.unpacking import unpacked


def inspect(token: str) -> None:
    """Keep what was found in the upload's row; a file that is gone meanwhile is left alone."""
    upload = Upload.objects.filter(token=token, inspection__isnull=True).first()
    if upload and upload.path.exists():
        found = evaluator(upload.path) if upload.is_evaluator else data(upload.path)
        Upload.objects.filter(pk=upload.pk).update(inspection=found)


def data(path: Path) -> dict[str, Any]:
    """What a data file holds: pairs, prompts and chosen/rejected rows by the rules of preference learning."""
    found = inspect_file(path)
    if found.format in TAKEN or any(form in found.evidence for form in (PAIRS, CHOSEN)):
        found = preference.inspect(path).report
    return found.to_json()


def evaluator(path: Path) -> dict[str, Any]:
    """What an uploaded evaluator holds, or why it cannot be used; nothing of it is run."""
    with tempfile.TemporaryDirectory(prefix="uploaded-", ignore_cleanup_errors=True) as place:
        try:
            unpacked(path, Path(place) / "code")
            found = brought.read(Path(place) / "code")
            needed = packages.wanted(found.requirements)
        except (NotTaken, packages.NotInstalled) as fault:
            return {"fault": str(fault).rstrip(".")}
    return {"entry": found.entry, "packages": needed, "sha256": found.sha256}
