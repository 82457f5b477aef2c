"""Copy an evaluator's folder: its regular files alone, so that nothing of this machine comes along.

A symbolic link could show a file of ours to foreign code, and a pipe would never end.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from workflows.evaluators.limits import MEBIBYTE
from workflows.evaluators.results import clean

MOST_ENTRIES, MOST_BYTES = 1_000, 64 * MEBIBYTE
LEFT_OUT = frozenset({"__pycache__", ".git"})


class NotTaken(Exception):
    """What was given cannot be run; the message says why."""


def copied(source: Path, target: Path) -> None:
    """A copy of `source` as the new folder `target`. Raises NotTaken."""
    left, entries = MOST_BYTES, 0
    target.mkdir()
    waiting = [Path()]
    while waiting:
        folder = waiting.pop()
        for name in names_in(source, folder):
            entries += 1
            if entries > MOST_ENTRIES:
                raise NotTaken(f"its folder holds more than {MOST_ENTRIES:,} files and folders")
            part = folder / name
            if is_folder(source, part):
                (target / part).mkdir()
                waiting.append(part)
            else:
                left -= copy_file(source, target, part, left)


def names_in(source: Path, folder: Path) -> list[str]:
    """The names in one of its folders, but for what no evaluator needs; one more than the most is enough."""
    found = []
    try:
        with os.scandir(source / folder) as entries:
            for entry in entries:
                if entry.name not in LEFT_OUT:
                    found.append(entry.name)
                if len(found) > MOST_ENTRIES:
                    break
    except OSError as fault:
        raise unreadable(folder, fault) from fault
    return sorted(found)


def is_folder(source: Path, part: Path) -> bool:
    """Whether it is a folder, or else a regular file. Raises NotTaken for a link, a pipe, a device."""
    try:
        mode = os.lstat(source / part).st_mode
    except OSError as fault:
        raise unreadable(part, fault) from fault
    if stat.S_ISLNK(mode):
        raise NotTaken(f"{clean(str(part))} in its folder is a symbolic link; put the file itself there")
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise NotTaken(f"{clean(str(part))} in its folder is neither a file nor a folder")
    return stat.S_ISDIR(mode)


def copy_file(source: Path, target: Path, part: Path, left: int) -> int:
    """One file of at most `left` bytes; how many it has. It may have become a link since it was looked at."""
    try:
        descriptor = os.open(source / part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(left + 1)
        if len(content) > left:
            raise NotTaken(f"its folder holds more than {MOST_BYTES // MEBIBYTE} MB")
        (target / part).write_bytes(content)
    except OSError as fault:
        raise unreadable(part, fault) from fault
    return len(content)


def unreadable(part: Path, fault: OSError) -> NotTaken:
    return NotTaken(f"{clean(str(part))} in its folder cannot be read: {fault.strerror or 'unknown fault'}")
