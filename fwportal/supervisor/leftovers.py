"""Finds and ends processes an earlier or dead part left behind.

Every child carries the data folder and its part's name in the environment, and what it starts inherits
both. A process is known by them, never by a process number that may have been given to another since.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import psutil

FOLDER, PART = "FWPORTAL_UP_FOLDER", "FWPORTAL_UP_PART"
PATIENCE = 3.0


def marks(folder: Path, part: str) -> dict[str, str]:
    return {FOLDER: str(folder), PART: part}


def found(folder: Path, part: str | None = None) -> list[psutil.Process]:
    """Living processes of this data folder (of one part of it), without the asking one."""
    wanted = [one for one in psutil.process_iter() if one.pid != os.getpid()]
    return [one for one in wanted if _belongs(one, str(folder), part)]


def _belongs(process: psutil.Process, folder: str, part: str | None) -> bool:
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return False  # gone meanwhile, or another user's
    return environment.get(FOLDER) == folder and part in (None, environment.get(PART))


def end(folder: Path, part: str | None = None) -> int:
    """Kill them all, looking again since one may fork while it dies. Returns how many there were."""
    killed: set[int] = set()
    deadline = time.monotonic() + PATIENCE
    while (living := found(folder, part)) and time.monotonic() < deadline:
        for process in living:
            kill(process)
            killed.add(process.pid)
        time.sleep(0.01)
    return len(killed)


def kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
