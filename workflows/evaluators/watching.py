"""Watch a running evaluator: read what it sends, bounded, and stop it where it passes a limit."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

from workflows.evaluators import processes
from workflows.evaluators.limits import MEBIBYTE, Limits
from workflows.evaluators.results import PAUSED, Collected, OutOfTurn, Scored, clean, not_reached

PRINTED_KEPT = 16 * 1024  # bytes of what it prints that are kept to be shown
CHUNK = 64 * 1024
LOOK = 0.1  # seconds between two looks at its processes


@dataclass(frozen=True, slots=True)
class Running:
    """A started launcher: `results` and `status` are the reading ends of its pipes."""

    process: subprocess.Popen[bytes]
    results: int
    status: int
    weaker: bool


@dataclass(slots=True)
class Watch:
    """What was seen so far. `fault` is why it must be stopped."""

    limits: Limits
    collected: Collected
    fault: str = ""
    printed: bytearray = field(default_factory=bytearray)
    printed_bytes: int = 0
    status: bytearray = field(default_factory=bytearray)
    pending: bytearray = field(default_factory=bytearray)

    def take_printed(self, data: bytes) -> None:
        self.printed_bytes += len(data)
        self.printed += data[: PRINTED_KEPT - len(self.printed)]
        if self.printed_bytes > self.limits.output:
            self.fault = f"it printed more than {size(self.limits.output)}"

    def take_results(self, data: bytes) -> None:
        self.pending += data
        *lines, rest = self.pending.split(b"\n")
        self.pending = bytearray(rest)
        try:
            for line in lines:
                self.collected.take(bytes(line))
        except OutOfTurn as fault:
            self.fault = str(fault)
        if len(self.pending) > self.limits.answer:
            self.fault = f"one result of it is longer than {size(self.limits.answer)}"

    def take_status(self, data: bytes) -> None:
        self.status += data[: CHUNK - len(self.status)]


def watch(running: Running, rows: int, limits: Limits) -> Scored:
    """Everything up to the end of the run, whatever the evaluator does. Leaves no process behind."""
    began = time.monotonic()
    seen = Watch(limits, Collected(rows))
    try:
        follow(running, seen, began)
    finally:
        processes.end(running.process.pid)
        code = running.process.wait()
        for pipe in (running.results, running.status):
            os.close(pipe)
        if running.process.stdout:
            running.process.stdout.close()
    return told(seen, code, weaker=running.weaker, seconds=time.monotonic() - began)


def follow(running: Running, seen: Watch, began: float) -> None:
    """Read the pipes until all are closed or a limit is passed."""
    assert running.process.stdout is not None  # noqa: S101  # it was started with a pipe
    last, looked, known = began, began, -1
    with selectors.DefaultSelector() as selector:
        selector.register(running.process.stdout.fileno(), selectors.EVENT_READ, seen.take_printed)
        selector.register(running.results, selectors.EVENT_READ, seen.take_results)
        selector.register(running.status, selectors.EVENT_READ, seen.take_status)
        while selector.get_map() and not seen.fault:
            for key, _ in selector.select(LOOK):
                data = os.read(key.fd, CHUNK)
                if data:
                    key.data(data)
                else:
                    selector.unregister(key.fd)
            now = time.monotonic()
            done = len(seen.collected.rows) + seen.collected.loaded
            if done != known:
                last, known = now, done
            seen.fault = seen.fault or out_of_time(seen, now - began, now - last)
            if now - looked >= LOOK and not seen.fault:
                looked, seen.fault = now, out_of_bounds(running, seen.limits)
            if running.process.poll() is not None or b"\n" in seen.status:
                drain(selector, seen)
                return


def drain(selector: selectors.BaseSelector, seen: Watch) -> None:
    """What is left in the pipes after the runner's end; strays that write on are cut off by the limits."""
    for key in list(selector.get_map().values()):
        os.set_blocking(key.fd, False)
        with contextlib.suppress(BlockingIOError):
            while not seen.fault and (data := os.read(key.fd, CHUNK)):
                key.data(data)


def out_of_time(seen: Watch, whole: float, row: float) -> str:
    """The fault of a run that takes too long as a whole or in one row, or PAUSED."""
    together = seen.collected.together
    if 0 < seen.limits.pause < whole and seen.collected.rows and not (together or seen.collected.complete):
        return PAUSED
    if whole > seen.limits.wall:
        return f"it ran longer than {seen.limits.wall:g} s"
    for_rows = seen.limits.together if together else seen.limits.row
    allowed = for_rows if seen.collected.loaded else seen.limits.load
    if row <= allowed or seen.collected.complete:
        return ""
    where = place(seen.collected) if seen.collected.loaded else "loading"
    return f"it hung in {where}: nothing came for {allowed:g} s"


def place(collected: Collected) -> str:
    """Where in the rows it is."""
    if collected.together:
        return f"its {collected.expected} rows, which it scores together"
    return f"row {len(collected.rows) + 1}"


def out_of_bounds(running: Running, limits: Limits) -> str:
    """The fault of a run whose processes are too many or too heavy together."""
    tree = processes.below(running.process.pid)
    if len(tree) > limits.processes + 4:  # ours: the walls and the runner
        return f"it had more than {limits.processes} processes"
    if processes.weight(tree) > limits.memory:
        return f"it used more than {size(limits.memory)} of memory"
    return ""


def told(seen: Watch, code: int, *, weaker: bool, seconds: float) -> Scored:
    """The run in plain words; rows that were not reached say so."""
    said = status_of(seen)
    code = said.get("code", code)
    fault = seen.fault or said.get("fault", "") or seen.collected.fatal or ended(seen, code)
    rows = list(seen.collected.rows)
    if fault:
        rows += not_reached(len(rows), seen.collected.expected, fault)
    printed = clean(seen.printed.decode("utf-8", errors="replace"))
    together = seen.collected.together
    return Scored(tuple(rows), fault, printed, seen.printed_bytes, seconds, weaker, together)


def status_of(seen: Watch) -> dict[str, Any]:
    """What the launcher said: a fault before the evaluator ran, or the exit code where it stays alive."""
    line = bytes(seen.status).split(b"\n")[0]
    found: dict[str, Any] = json.loads(line) if line else {}
    return found


def ended(seen: Watch, code: int) -> str:
    """Why it ended before its last row; empty when it did not."""
    if seen.collected.complete:
        return ""
    where = f"in {place(seen.collected)}" if seen.collected.loaded else "while loading"
    code = 128 - code if code < 0 else code
    if code == 128 + signal.SIGXCPU:
        return f"it used up its {seen.limits.processor} s of processor time {where}"
    if code > 128:
        name = signal.Signals(code - 128).name if code - 128 in set(signal.Signals) else str(code - 128)
        return f"it crashed {where} ({name})"
    return f"it ended {where} with exit status {code}"


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / MEBIBYTE:g} MB" if count >= MEBIBYTE else f"{count / 1024:g} kB"
