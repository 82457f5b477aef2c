"""The plain pieces of an HTTP exchange: what goes and comes, time limits, the checks of address and key."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]
HEADERS = {"User-Agent": "fwportal", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each part of an exchange."""

    connect: float = 5.0
    read: float = 60.0
    write: float = 60.0
    pool: float = 10.0

    def httpx(self) -> httpx.Timeout:
        """As httpx wants them."""
        return httpx.Timeout(connect=self.connect, read=self.read, write=self.write, pool=self.pool)


@dataclass(slots=True)
class Sending:
    """A request, for whatever carries it: the common headers (`HEADERS`) are added there."""

    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes | None
    files: Mapping[str, Any] | None
    timeouts: Timeouts


@dataclass(slots=True)
class Received:
    """A response read to its end and unpacked; `headers` are found by names of either case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """One finished call, without secrets, for the log and for "show the equivalent curl"."""

    method: str
    url: str
    query: Mapping[str, str]
    body: Any
    status: int
    milliseconds: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: `json` is {} for an empty body, `headers` are found by names of either case."""

    status: int
    json: Json
    headers: Mapping[str, str]


def owns_nothing(name: str) -> bool:
    """The default ownership: no name is ours, so nothing can be created, changed or deleted."""
    return not isinstance(name, str)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_base(base_url: str) -> httpx.URL:
    """The base URL, https unless it is this machine. Raises ValueError naming the fault."""
    try:
        url = httpx.URL(base_url.strip().rstrip("/"))
    except httpx.InvalidURL as fault:
        raise ValueError(f"the Fireworks base URL cannot be read: {fault}") from fault
    if not url.host or url.query or url.userinfo:
        raise ValueError(
            "the Fireworks base URL must be like https://api.fireworks.ai, without query or user"
        )
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise ValueError(f"the Fireworks base URL must be https (http is only for this machine): {url.host}")
    return url


def checked_key(api_key: str) -> str:
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("the Fireworks API key is empty or holds characters that no key has")
    return key
