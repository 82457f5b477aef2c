"""From `make run` (installed) to the first page, and the memory of all processes, idle and with a run going.

Targets: below 10 s, and below 2.5 GB. Run with `make bench`, or `PYTHONPATH=. python benchmarks/startup.py`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.results import keep
from fwportal.supervisor.supervise import page_answers
from tests.system.portal import ROOT, Portal

STARTS = 5
IDLE_SECONDS = 5
INSTRUCTION = "Run SFT on accounts/rehearsal/datasets/support-replies across qwen3-8b"
REPLIES = ("Approved, proceed.", "Proceed with the winning config.")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        portal = Portal(Path(folder) / "data")
        try:
            keep("startup", measure(portal))
        finally:
            portal.remove()


def measure(portal: Portal) -> dict[str, Any]:
    """The first start also makes the database; the others find it."""
    starts = []
    for _start in range(STARTS):
        starts.append(first_page_seconds(portal))
        portal.stop()
    portal.start()
    numbers: dict[str, Any] = {
        "first_start_first_page_seconds": round(starts[0], 2),
        "next_starts_first_page_seconds_median": round(statistics.median(starts[1:]), 2),
        "next_starts_first_page_seconds_worst": round(max(starts[1:]), 2),
        "idle_memory_mb": peak_memory(portal, IDLE_SECONDS),
        **run_memory(portal),
    }
    stopping = time.monotonic()
    portal.stop()
    return {**numbers, "ctrl_c_to_end_seconds": round(time.monotonic() - stopping, 2)}


def first_page_seconds(portal: Portal) -> float:
    """From the command `make run` to the moment the first page answers."""
    begun = time.monotonic()
    portal.launch(["make", "run"])
    portal.until(lambda: page_answers(portal.port), 60, "the first page")
    seconds = time.monotonic() - begun
    portal.until(portal.is_well, 60, "the portal to be well")
    return seconds


def peak_memory(portal: Portal, seconds: float) -> int:
    deadline, peak = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        peak = max(peak, memory(portal))
        time.sleep(0.25)
    return peak


def memory(portal: Portal) -> int:
    """MB of all processes together; pages shared between them count once (PSS)."""
    total = 0
    for process in [*portal.members(), psutil.Process(portal.supervisor_pid())]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue  # ended meanwhile
    return round(total / 1e6)


def run_memory(portal: Portal) -> dict[str, Any]:
    """A whole rehearsal on a sample dataset, driven through the command line a person has."""
    begun, peak = time.monotonic(), 0
    public_id = str(asked(portal, "create", "--instruction", INSTRUCTION)["id"])
    for reply in REPLIES:
        peak = max(peak, memory_until_waiting(portal, public_id))
        asked(portal, "update", public_id, "--instruction", reply)
    peak = max(peak, memory_until_waiting(portal, public_id))
    end = asked(portal, "get", public_id)
    if end["status"] != "succeeded":
        raise SystemExit(f"the run did not succeed: {end['status']}, {end['failure'] or end['waiting_for']}")
    return {"run_memory_mb": peak, "run_seconds": round(time.monotonic() - begun, 1)}


def memory_until_waiting(portal: Portal, public_id: str) -> int:
    """The peak until a person must act or all is over."""
    waiting = subprocess.Popen(
        [sys.executable, "manage.py", "session", "events", public_id, "--wait"],
        cwd=ROOT,
        env=portal.environment,
        stdout=subprocess.DEVNULL,
    )
    peak = 0
    with waiting:
        while waiting.poll() is None:
            peak = max(peak, peak_memory(portal, 1))
    return peak


def asked(portal: Portal, verb: str, *arguments: str) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "manage.py", "session", verb, *arguments, "--json"],
        cwd=ROOT,
        env=portal.environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


if __name__ == "__main__":
    main()
