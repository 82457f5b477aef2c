"""A real Redis of its own for the tests that need one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from fwportal.supervisor import broker


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[str]:
    """The address of an empty Redis on a Unix socket; it is ended after the test."""
    socket = tmp_path / "r.sock"
    argv = [broker.binary(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--daemonize", "no"]
    with (
        (tmp_path / "redis.log").open("wb") as log,
        subprocess.Popen(argv, stdout=log, cwd=tmp_path) as process,
    ):
        url = f"unix://{socket}"
        wait_for(url, process)
        yield url
        process.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    with redis.Redis.from_url(url) as client:
        while process.poll() is None:
            try:
                client.ping()
            except redis.RedisError:
                continue
            return
    raise RuntimeError("redis-server ended at once")
