"""One supervised process: started in its own group, restarted when it dies, ended in good order."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fwportal.supervisor import leftovers

DELAYS = (0.2, 1.0, 2.0, 5.0, 10.0)
LONG_LIFE = 30.0
LOG_LIMIT = 10_000_000
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Part:
    """What to run. `grace` is how long it may take to end by itself, in seconds."""

    name: str
    argv: list[str]
    grace: float
    environment: dict[str, str] = field(default_factory=dict)


class Child:
    """A part and its present process. Times are `time.monotonic` seconds."""

    def __init__(self, part: Part, folder: Path, cwd: Path) -> None:
        self.part, self.folder, self.cwd = part, folder, cwd
        self.log = folder / "logs" / f"{part.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.due_at: float | None = None
        self.quick_deaths = 0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        environment = {
            **os.environ,
            **self.part.environment,
            **leftovers.marks(self.folder, self.part.name),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.part.argv,
                cwd=self.cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=end_with_parent(),
            )
        self.started_at, self.due_at = time.monotonic(), None

    def died(self) -> int | None:
        """The exit status of a process that has just ended, once; its leftovers are gone by then."""
        if self.process is None or not has_ended(self.process.pid):
            return None
        self.kill()
        return self.process.wait()

    def plan_restart(self, now: float) -> float:
        """Seconds until the next start: short after a long life, growing after quick deaths."""
        self.quick_deaths = 1 if now - self.started_at > LONG_LIFE else self.quick_deaths + 1
        delay = DELAYS[min(self.quick_deaths, len(DELAYS)) - 1]
        self.process, self.due_at = None, now + delay
        return delay

    def terminate(self) -> None:
        if self.process is not None:
            signal_group(self.process.pid, signal.SIGTERM, group=False)

    def end(self, until: float) -> None:
        """Wait for a terminated process until that time, then kill what is left of its group."""
        if self.process is None:
            return
        while time.monotonic() < until and not has_ended(self.process.pid):
            time.sleep(0.02)
        self.kill()
        self.process.wait()
        self.process = None

    def kill(self) -> None:
        """The whole group, and whatever it started elsewhere. Called before the leader is reaped, while
        its process number cannot belong to anyone else."""
        if self.process is not None:
            signal_group(self.process.pid, signal.SIGKILL, group=True)
        leftovers.end(self.folder, self.part.name)

    def last_words(self) -> str:
        """The last line of the log, for the person."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 4000))
                lines = log.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[:300]


def has_ended(pid: int) -> bool:
    """Whether the process is over, without reaping it."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def signal_group(pid: int, number: signal.Signals, *, group: bool) -> None:
    # All of it may be over already; macOS says "not permitted" of a group of dead processes.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        (os.killpg if group else os.kill)(pid, number)


def end_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel ends a child whose supervisor was killed; elsewhere the next start does."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask
