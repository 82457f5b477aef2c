"""Typed readers for environment variables; every fault names the variable and the remedy."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

Environment = Mapping[str, str]

FIREWORKS_API = "https://api.fireworks.ai"
KEY_NAMES = ("FIREWORKS_AGENT_API_KEY", "FIREWORKS_API_KEY")


def text(environment: Environment, name: str, default: str = "") -> str:
    return environment.get(name, "").strip() or default


def required(environment: Environment, name: str, purpose: str) -> str:
    value = text(environment, name)
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. It is {purpose}; set it in the environment or in .env."
        )
    return value


def choice(environment: Environment, name: str, allowed: tuple[str, ...]) -> str:
    """The variable's value, the first allowed one when it is unset."""
    value = text(environment, name, allowed[0]).lower()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to one of: {', '.join(allowed)}.")
    return value


def whole(environment: Environment, name: str, default: int, low: int, high: int) -> int:
    raw = text(environment, name, str(default))
    if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
        raise ImproperlyConfigured(f"{name} is {raw!r}. Set it to a whole number from {low} to {high}.")
    return int(raw)


def flag(environment: Environment, name: str, default: bool) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    raw = text(environment, name, "1" if default else "0").lower()
    if raw not in words:
        raise ImproperlyConfigured(f"{name} is {raw!r}. Set it to 1 or 0.")
    return words[raw]


def names(environment: Environment, name: str) -> list[str]:
    """A comma-separated list."""
    return [part.strip() for part in text(environment, name).split(",") if part.strip()]


def port(environment: Environment) -> int:
    """Where the web listens; local Fireworks is at the next port and Redis at the one after."""
    return whole(environment, "PORT", 8000, 1, 65533)


def web_address(environment: Environment, name: str, default: str) -> str:
    """An http(s) address without a trailing slash."""
    value = text(environment, name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ImproperlyConfigured(f"{name} is not a web address. Write it like {FIREWORKS_API}.")
    return value


def database(environment: Environment, data: Path) -> dict[str, Any]:
    """Django's database settings: PostgreSQL from DATABASE_URL, else SQLite in the data folder."""
    url = text(environment, "DATABASE_URL")
    return postgresql(url) if url else sqlite(data / "portal.sqlite3")


def sqlite(path: Path) -> dict[str, Any]:
    """WAL lets pages read while a worker writes; IMMEDIATE makes writers queue, not fail half-way."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def postgresql(url: str) -> dict[str, Any]:
    remedy = "DATABASE_URL must look like postgresql://user:password@host:5432/name."
    try:
        parts = urlsplit(url)
        number = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(remedy) from error
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ImproperlyConfigured(remedy)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(number or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **dict(parse_qsl(parts.query))},
    }


def fireworks(environment: Environment, rehearsal_url: str) -> dict[str, Any]:
    """Which Fireworks the portal speaks to.

    `key` is the only way to the key, a function, so that printing the settings never shows it. Without a
    key in the environment everything goes to local Fireworks at `rehearsal_url`.
    """
    rehearsal = not any(text(environment, name) for name in KEY_NAMES)
    if rehearsal and text(environment, "FIREWORKS_BASE_URL"):
        raise ImproperlyConfigured(
            "FIREWORKS_BASE_URL is set but no key. Set FIREWORKS_API_KEY too, or unset both to rehearse."
        )
    base_url = rehearsal_url if rehearsal else web_address(environment, "FIREWORKS_BASE_URL", FIREWORKS_API)
    return {
        "base_url": base_url,
        "rehearsal": rehearsal,
        "account": "rehearsal" if rehearsal else text(environment, "FIREWORKS_ACCOUNT_ID"),
        "key": _key_reader(environment),
    }


def rehearsal_of_a_server(environment: Environment) -> str:
    """A server rehearses only when it is told where: without a key and an address it refuses to start."""
    if any(text(environment, name) for name in KEY_NAMES):
        return ""
    required(environment, "FWPORTAL_FIREWORKS_URL", "needed without FIREWORKS_API_KEY: where to rehearse")
    return web_address(environment, "FWPORTAL_FIREWORKS_URL", "")


def _key_reader(environment: Environment) -> Callable[[], str]:
    def fireworks_key() -> str:
        found = [value for name in KEY_NAMES if (value := text(environment, name))]
        return found[0] if found else "rehearsal"

    return fireworks_key


def kept_secret(path: Path) -> str:
    """A random secret made once and kept in a file only its owner can read."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(48))
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {path.parent} cannot be used ({error.strerror}). Set FWPORTAL_DATA to another."
        ) from error


def _write_once(path: Path, content: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
    # A hard link is refused when another process was first: both then read the same secret.
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()


def running(data: Path) -> dict[str, str]:
    """Where the `up` of this data folder put Redis and local Fireworks, so that other commands find them."""
    try:
        found = json.loads((data / "up.json").read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
