"""The tree of processes below one that we started: count it, weigh it, end it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import psutil

GONE = (psutil.NoSuchProcess, psutil.AccessDenied)
# What is in memory, what was moved out of it, the tables over both, and huge pages, which are in none.
HELD = re.compile(r"^(?:VmRSS|VmSwap|VmPTE|HugetlbPages):\s*(\d+) kB$", re.MULTILINE)


def below(pid: int) -> list[psutil.Process]:
    """All processes below one, deepest last; empty when it is gone."""
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except GONE:
        return []


def weight(tree: list[psutil.Process]) -> int:
    """Bytes of memory that they hold together."""
    total = 0
    for each in tree:
        with contextlib.suppress(OSError):  # it is gone
            total += held(Path(f"/proc/{each.pid}/status").read_text())
    return total


def held(status: str) -> int:
    """Bytes that a process holds by its /proc/PID/status (proc_pid_status(5))."""
    return 1024 * sum(map(int, HELD.findall(status)))


def end(pid: int) -> None:
    """Kill everything below a process until nothing is left, then the process itself.

    Process 1 of a namespace takes all that is in it along; without namespaces the starter adopts strays, so
    they stay below it as long as it lives.
    """
    for _ in range(100):
        tree = below(pid)
        living = [each for each in tree if state(each) != psutil.STATUS_ZOMBIE]
        if not living:
            break
        for each in living:
            with contextlib.suppress(*GONE):
                each.kill()
        psutil.wait_procs(living, timeout=0.05)
    with contextlib.suppress(*GONE):
        psutil.Process(pid).kill()


def state(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except GONE:
        return str(psutil.STATUS_ZOMBIE)
