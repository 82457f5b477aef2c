"""Signed storage URLs: secrets that need no key and get none.

They must be https (facts sheet 11.9), except that a Fireworks on this machine may sign URLs of this machine.
Redirects are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from .client import Fireworks
from .errors import BadAnswer, FireworksError, NotFound, Permanent, Temporary, Unreachable
from .manifest import Repeat
from .redaction import redact
from .retrying import attempt, repeatable
from .wire import is_loopback

CHUNK = 1 << 18


class LinkExpired(Temporary):
    """The signature is no longer accepted: fetch the owner again for a fresh URL."""


def check_signed(fireworks: Fireworks, url: str) -> httpx.URL:
    """The URL when it may be called. Raises `BadAnswer` without showing it."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as fault:
        raise BadAnswer("a signed URL cannot be read") from fault
    here = is_loopback(parsed.host)
    if here and not fireworks.local:
        raise BadAnswer(f"a signed URL points to this machine ({parsed.host}): refused")
    if parsed.scheme != "https" and not (here and parsed.scheme == "http"):
        raise BadAnswer(f"a signed URL is not https ({parsed.scheme}://{parsed.host}): refused")
    return parsed


def _refusal(response: httpx.Response, doing: str) -> FireworksError:
    where = f"{doing} {response.request.url.host}: HTTP {response.status_code}"
    if response.status_code == 404:
        return NotFound(f"{where}: the file is not there (yet)")
    if response.status_code in (400, 401, 403, 410):
        return LinkExpired(f"{where}: the signed URL is not accepted (expired, or other headers than signed)")
    if response.status_code in (408, 429) or response.status_code >= 500:
        return Temporary(f"{where}: storage is not answering")
    return Permanent(f"{where}: storage refuses")


def _lost(fault: httpx.TransportError, host: str, doing: str) -> FireworksError:
    kind = Unreachable if isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout) else Temporary
    return kind(f"{doing} {host}: {redact(str(fault)) or type(fault).__name__}")


@contextmanager
def open_signed(fireworks: Fireworks, url: str) -> Iterator[Iterator[bytes]]:
    """Stream the bytes behind a signed URL. Raises `NotFound` while the file is not there yet."""
    target = check_signed(fireworks, url)

    def start() -> httpx.Response:
        try:
            response = fireworks.http.send(fireworks.http.build_request("GET", target), stream=True)
        except httpx.TransportError as fault:
            raise _lost(fault, target.host, "GET") from fault
        if not response.is_success:
            response.close()
            raise _refusal(response, "GET")
        return response

    response = attempt(start, fireworks.retries, lambda error: _again(error, Repeat.ALWAYS))
    try:
        yield _chunks(response, target.host)
    finally:
        response.close()


def _again(error: FireworksError, repeat: Repeat) -> bool:
    return repeatable(error, repeat) and not isinstance(error, LinkExpired)


def _chunks(response: httpx.Response, host: str) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes(CHUNK)
    except (httpx.TransportError, httpx.StreamError, httpx.DecodingError) as fault:
        raise Temporary(f"GET {host}: the download broke off: {type(fault).__name__}") from fault


def read_signed(fireworks: Fireworks, url: str, limit: int = 64 << 20) -> bytes:
    """A small file whole. Raises `BadAnswer` when it is larger than `limit` bytes."""
    parts, size = [], 0
    with open_signed(fireworks, url) as chunks:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise BadAnswer(f"a signed URL gave more than {limit} bytes")
            parts.append(chunk)
    return b"".join(parts)


def put_signed(fireworks: Fireworks, url: str, path: Path) -> None:
    """PUT a file with the two headers that are part of the signature (facts sheet 2)."""
    target, size = check_signed(fireworks, url), path.stat().st_size
    headers = {
        "Content-Type": "application/octet-stream",
        "X-Goog-Content-Length-Range": f"{size},{size}",
        "Content-Length": str(size),
    }

    def once() -> None:
        try:
            response = fireworks.http.put(target, content=_file_chunks(path), headers=headers)
        except httpx.TransportError as fault:
            raise _lost(fault, target.host, "PUT") from fault
        if not response.is_success:
            raise _refusal(response, "PUT")

    attempt(once, fireworks.retries, lambda error: _again(error, Repeat.ALWAYS))


def _file_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def signed_urls(answer: Mapping[str, Any]) -> dict[str, str]:
    """The `filenameToSignedUrls` of an answer. Raises `BadAnswer` when there is none."""
    urls = answer.get("filenameToSignedUrls")
    if not isinstance(urls, Mapping):
        raise BadAnswer("the answer holds no filenameToSignedUrls")
    return {str(name): str(url) for name, url in urls.items()}
