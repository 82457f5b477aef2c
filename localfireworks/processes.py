"""Job processes that outlive the server.

Each runs in a session of its own and holds a lock on `FOLDER/lock` for as long as it lives: the lock is
inherited, so it says "alive" to any later server, cannot be mistaken after a pid was reused, and makes a
second process in the same folder impossible. `FOLDER/pid` is written by the process itself, before it
becomes the job.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BECOME = 'echo $$ > "$0" && exec nice -n 5 "$@"'


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock, or None when another process holds it."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


class Processes:
    """Starts, finds again and ends job processes; a folder stands for its process."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._children: dict[Path, subprocess.Popen[bytes]] = {}

    def start(self, folder: Path, command: Sequence[str] = ()) -> bool:
        """Start the job of a folder, by default with the training program; False when it runs already. Its
        output goes to `FOLDER/log.txt`."""
        self._reap()
        handle = _lock(folder)
        if handle is None:
            return False
        (folder / "pid").unlink(missing_ok=True)
        try:
            with (folder / "log.txt").open("ab") as log:
                self._children[folder] = subprocess.Popen(
                    ["/bin/sh", "-c", BECOME, str(folder / "pid"), *(command or self._command), str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=ROOT,
                    pass_fds=(handle,),
                    start_new_session=True,
                )
        finally:
            os.close(handle)
        return True

    def alive(self, folder: Path) -> bool:
        """Whether a process of this folder lives, whoever started it."""
        self._reap()
        if not folder.is_dir():
            return False
        handle = _lock(folder)
        if handle is not None:
            os.close(handle)
        return handle is None

    def end(self, folder: Path, *, force: bool = False) -> None:
        """Ask the process and its children to end; `force` does not ask. Nothing happens when it is gone."""
        if not self.alive(folder):
            return
        with suppress(OSError, ValueError):
            pid = int((folder / "pid").read_text())
            os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)

    def _reap(self) -> None:
        """Collect our own ended children, so that none stays a zombie."""
        for folder in [folder for folder, child in self._children.items() if child.poll() is not None]:
            del self._children[folder]
