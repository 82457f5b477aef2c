"""Real servers on real ports with real job processes, ended whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 200.0  # seconds; only a failing test waits so long


def until(look: Callable[[], Any], what: str) -> Any:
    """The first true answer; fails when none comes for long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if answer := look():
                return answer
        time.sleep(0.05)
    pytest.fail(f"waited in vain: {what}")


@dataclass
class LocalServer:
    """`python -m localfireworks` as a person starts it."""

    data: Path
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": "Bearer any"}, timeout=60
        )

    def start(self) -> None:
        # Into a file: a pipe that nobody reads is full one day, and then the server stands still.
        with self.data.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "localfireworks", *self._arguments()], cwd=ROOT, stderr=log
            )
        until(lambda: self.http.get("/healthz").status_code == 200, "the server to answer")

    def _arguments(self) -> list[str]:
        return ["--data", str(self.data), "--port", str(self.port), *self.options]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def call(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        response = self.http.request(method, f"/v1/accounts/rehearsal{path}", **given)
        assert response.status_code == 200, response.text
        return response.json()

    def job(self, id_: str, **body: Any) -> dict[str, Any]:
        query = {"supervisedFineTuningJobId": id_}
        return self.call("POST", "/supervisedFineTuningJobs", json=body, params=query)

    def look(self, id_: str) -> dict[str, Any]:
        return self.call("GET", f"/supervisedFineTuningJobs/{id_}")

    def reaches(self, id_: str, *states: str) -> dict[str, Any]:
        wanted = {f"JOB_STATE_{state}" for state in states}
        return until(lambda: (job := self.look(id_))["state"] in wanted and job, f"{id_} to be {states}")

    def pid(self, id_: str) -> int:
        return int(next(self.data.glob(f"jobs/{id_}-*/pid")).read_text())


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., LocalServer]]:
    """Makes servers on one data folder; at the end they and their jobs are ended."""
    made: list[LocalServer] = []

    def make(**given: Any) -> LocalServer:
        made.append(LocalServer(tmp_path / "data", **given))
        return made[-1]

    yield make
    for server in made:
        if server.process is not None:
            server.stop(signal.SIGKILL)
        server.http.close()
    for pid in (tmp_path / "data").glob("jobs/*/pid"):
        with suppress(ProcessLookupError):
            os.killpg(int(pid.read_text()), signal.SIGKILL)
