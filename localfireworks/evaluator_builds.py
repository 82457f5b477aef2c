"""Builds of evaluators: a process each, from BUILDING to ACTIVE or BUILD_FAILED."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from localfireworks import uploads
from localfireworks.evaluator_fields import entries_of, snippets_of
from localfireworks.guard import guarded
from localfireworks.jobs import read_state
from localfireworks.names import new_id
from localfireworks.service import Service
from localfireworks.store import Resource

COLLECTION = "evaluators"
BUILDING, ACTIVE, BUILD_FAILED = "BUILDING", "ACTIVE", "BUILD_FAILED"
COMMAND = (sys.executable, "-m", "localfireworks.evalkit.work")
TRIES = 2


def folder_of(service: Service, row: Resource) -> Path:
    """Where the build lies: job.json, source/, log.txt."""
    return service.settings.folder("builds", row.private["folder"]).resolve()


def order(row: Resource) -> None:
    """Have the evaluator built anew, in a folder of its own; the change is not yet stored.

    Jobs that run with the build before keep it.
    """
    folders = [*row.private.get("folders", []), f"{row.id}-{new_id()}"]
    row.state, row.private["folder"], row.private["folders"] = BUILDING, folders[-1], folders
    row.private |= {"ordered": True, "tries": 0}


def tick(service: Service) -> None:
    """Start ordered builds and look at running ones."""
    for row in service.store.in_states(COLLECTION, (BUILDING,)):
        if row.private.get("ordered"):
            with guarded(row.name):
                _step(service, row)


def _step(service: Service, row: Resource) -> None:
    folder = folder_of(service, row)
    if service.processes.alive(folder):
        return
    result = read_state(folder, "result.json")
    if result:
        _finish(service, row, result)
    elif row.private["tries"] < TRIES:
        row.private["tries"] += 1
        if service.save(row):
            (folder / "job.json").write_text(json.dumps(specification(service, row)))
            service.processes.start(folder, COMMAND)
    else:
        _finish(service, row, {"ok": False, "code": "INTERNAL", "message": "the build broke off"})


def specification(service: Service, row: Resource) -> dict[str, Any]:
    """job.json of the build."""
    files = uploads.files_of(service, row)
    return {
        "kind": "build",
        "archive": str(files[0]) if files else None,
        "snippets": snippets_of(row.body),
        "entries": entries_of(row.body),
        "unconfined": service.settings.unconfined_evaluators,
    }


def _finish(service: Service, row: Resource, result: dict[str, Any]) -> None:
    good = bool(result.get("ok"))
    row.state, row.private["ordered"] = ACTIVE if good else BUILD_FAILED, False
    code, message = ("OK", "") if good else (str(result.get("code")), str(result.get("message")))
    row.body["status"] = {"code": code, "message": message}
    service.save(row, was=BUILDING)
