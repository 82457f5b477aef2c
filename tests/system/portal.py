"""A whole portal of real processes, driven from outside: start it, ask it, hurt it, end it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from fwportal.supervisor import leftovers
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("redis", "fireworks", "web", "worker", "beat")
PATIENCE = 180.0  # seconds; only a failing test waits so long
Found = TypeVar("Found")


class Portal:
    """`manage.py up` on a data folder of its own. `environment` overrides the defaults."""

    def __init__(self, data: Path, environment: dict[str, str] | None = None) -> None:
        self.data, self.port = data, free_port(3)
        self.environment = {**clean_environment(), "FWPORTAL_DATA": str(data), "PORT": str(self.port)}
        self.environment |= environment or {}
        self.process: subprocess.Popen[str] | None = None
        self.output = data.parent / f"{data.name}.out"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch(self, command: list[str] | None = None) -> subprocess.Popen[str]:
        with self.output.open("a") as output:
            self.process = subprocess.Popen(
                command or [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        return self.process

    def start(self) -> Portal:
        """Returns when every part is well."""
        self.launch()
        self.until(self.is_well, PATIENCE, "the portal to be well")
        return self

    def until(self, condition: Callable[[], Found | None], seconds: float, what: str) -> Found:
        """Waits for something true; the error shows what the portal said meanwhile."""
        return wait_until(condition, seconds, what, lambda: f"{self.said()}\n{self.logs()}")

    def health(self) -> dict[str, Any]:
        """What /healthz says; empty while nobody answers."""
        try:
            body: dict[str, Any] = httpx.get(f"{self.address}/healthz", timeout=3).json()
        except (httpx.HTTPError, ValueError):
            return {}
        return body

    def is_well(self) -> bool:
        """The portal says so, and local Fireworks, which it does not ask about, takes connections."""
        return (
            self.health().get("status") == "ok"
            and set(PARTS) <= set(self.leaders())
            and answers(self.port + 1)
        )

    def manage(self, *arguments: str) -> str:
        """What `manage.py` prints; it must succeed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def kill_and_heal(self, part: str) -> None:
        """kill -9 of a part, and wait until another one stands in its place."""
        killed = self.kill(part)
        self.until(lambda: self.pid(part) not in (None, killed), PATIENCE, f"a new {part}")

    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def logs(self) -> str:
        files = sorted((self.data / "logs").glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files)

    def members(self, part: str | None = None) -> list[psutil.Process]:
        return leftovers.found(self.data, part)

    def leaders(self) -> dict[str, psutil.Process]:
        """The first process of each running part."""
        return {name: one for one in children_of(self.supervisor_pid()) if (name := part_of(one))}

    def supervisor_pid(self) -> int:
        """The process number of `manage.py up`, whether it was started itself or through make."""
        assert self.process is not None
        through = [one for one in children_of(self.process.pid) if "up" in words_of(one)]
        return through[0].pid if through else self.process.pid

    def pid(self, part: str) -> int | None:
        leader = self.leaders().get(part)
        return leader.pid if leader else None

    def kill(self, part: str) -> int:
        """kill -9 of the part's first process; returns its process number."""
        leader = self.leaders()[part]
        leader.send_signal(signal.SIGKILL)
        return leader.pid

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process is not None
        os.kill(self.supervisor_pid(), number)
        return self.process.wait(timeout=PATIENCE)

    def remove(self) -> None:
        """After a test, however it ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        leftovers.end(self.data)


def wait_until(
    condition: Callable[[], Found | None], seconds: float, what: str, said: Callable[[], str] = str
) -> Found:
    """Asks until the condition gives something true. The one place of this room that lets time pass."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} s for {what}\n{said()}")


def clean_environment() -> dict[str, str]:
    """Without what a person may have set: keys, databases, modes."""
    own = re.compile(r"FIREWORKS_|FWPORTAL_|DATABASE_URL$|REDIS_URL$|PORT$|SECRET_KEY$|ALLOWED_HOSTS$")
    return {name: value for name, value in os.environ.items() if not own.match(name)}


def children_of(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def words_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def part_of(process: psutil.Process) -> str | None:
    try:
        alive = process.status() != psutil.STATUS_ZOMBIE
        return process.environ().get(leftovers.PART) if alive else None
    except psutil.Error:
        return None


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(3)
        return probe.connect_ex(("127.0.0.1", port)) == 0
