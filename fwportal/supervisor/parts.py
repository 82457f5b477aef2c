"""The processes of `make run`, as command lines."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from fwportal.supervisor.child import Part

# Several processes share a small machine: one arena per thread and one BLAS thread per core would cost
# hundreds of megabytes in each of them.
LEAN = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
WORKER_MEMORY_KB = 400_000  # a worker process above it is replaced after its task


@dataclass(frozen=True)
class House:
    """Where everything is. `redis_binary` is None when REDIS_URL names a Redis that others run."""

    data: Path
    port: int
    redis_url: str
    redis_binary: str | None
    fireworks_url: str | None
    token_budget: int
    worker_processes: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """What every part is told, so that all speak of the same data folder, Redis and Fireworks."""
        told = {"FWPORTAL_DATA": str(self.data), "PORT": str(self.port), "REDIS_URL": self.redis_url}
        if self.fireworks_url:
            told["FWPORTAL_FIREWORKS_URL"] = self.fireworks_url
        return {**told, "PYTHONUNBUFFERED": "1"}


def redis(house: House, config: Path) -> Part | None:
    if house.redis_binary is None:
        return None
    return Part("redis", [house.redis_binary, str(config)], grace=1.0)


def fireworks(house: House) -> Part | None:
    if house.fireworks_url is None:
        return None
    argv = [sys.executable, "-m", "localfireworks", "--host", "127.0.0.1", "--port", str(house.port + 1)]
    argv += ["--data", str(house.data / "fireworks"), "--token-budget", str(house.token_budget)]
    return Part("fireworks", argv, grace=2.0, environment={"PYTHONUNBUFFERED": "1"})


def web(house: House) -> Part:
    argv = [sys.executable, "-m", "uvicorn", "fwportal.asgi:application", "--host", "127.0.0.1"]
    argv += ["--port", str(house.port), "--lifespan", "off", "--no-access-log", "--no-proxy-headers"]
    argv += ["--timeout-graceful-shutdown", "1"]
    return Part("web", argv, grace=2.0, environment={**house.environment(), **LEAN})


def worker(house: House) -> Part:
    argv = [sys.executable, "-m", "celery", "--app", "fwportal", "worker", "--pool", "prefork"]
    argv += ["--concurrency", str(house.worker_processes), "--without-gossip", "--without-mingle"]
    argv += ["--max-memory-per-child", str(WORKER_MEMORY_KB), "--loglevel", "INFO"]
    return Part("worker", argv, grace=3.0, environment={**house.environment(), **LEAN})


def beat(house: House) -> Part:
    # No pid file: the one that kill -9 leaves behind would stop the next start.
    argv = [sys.executable, "-m", "celery", "--app", "fwportal", "beat", "--pidfile=", "--loglevel", "INFO"]
    return Part("beat", argv, grace=1.0, environment={**house.environment(), **LEAN})
