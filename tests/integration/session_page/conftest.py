"""A Redis that can be killed and started again, and the page as a person's browser gets it."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import Client
from pytest_django import Settings

from fwportal.supervisor import broker
from sessions import wake
from sessions.models import TuningSession

Get = Callable[..., str]


class Redis:
    """A real Redis on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, f"unix://{folder / 'r.sock'}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        socket = str(self.folder / "r.sock")
        argv = [broker.binary(), "--port", "0", "--unixsocket", socket, "--save", "", "--daemonize", "no"]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, cwd=self.folder)
        with redis.Redis.from_url(self.url) as client:
            while self.process.poll() is None:
                try:
                    client.ping()
                except redis.RedisError:
                    continue
                return
        raise RuntimeError("redis-server ended at once")

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture
def live_redis(tmp_path: Path, settings: Settings) -> Iterator[Redis]:
    """The Redis that the portal's wake-ups go through."""
    server = Redis(tmp_path)
    server.start()
    settings.REDIS_URL = server.url
    wake.connection.cache_clear()
    yield server
    wake.connection().close()
    wake.connection.cache_clear()
    server.kill()


def words(html: str) -> str:
    """The page with its line breaks and indents as single spaces."""
    return re.sub(r"\s+", " ", html)


@pytest.fixture
def get(client: Client) -> Get:
    """The text of a page or a part of it."""

    def fetch(session: TuningSession, rest: str = "", status: int = 200, **headers: Any) -> str:
        response = client.get(f"/s/{session.public_id}/{rest}", headers=headers or None)
        assert response.status_code == status, response.content[:500]
        return words(response.content.decode())

    return fetch
