"""The same call as a curl command that a person can run. The key appears as $FIREWORKS_API_KEY."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from .redaction import redact_body
from .sdk import ENDPOINT
from .wire import Exchange


def curl(method: str, url: str, query: Mapping[str, str], body: Any = None, file: str = "") -> str:
    """A shell command over several lines; `file` is the name of an uploaded file, if any."""
    target = f"{url}?{urlencode(query)}" if query else url
    lines = [
        f"curl -sS -X {method} {shlex.quote(target)}",
        '-H "Authorization: Bearer $FIREWORKS_API_KEY"',
    ]
    if file:
        lines.append(f"-F {shlex.quote(f'file=@{file}')}")
    if body is not None:
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d {shlex.quote(json.dumps(redact_body(body), ensure_ascii=False))}")
    return " \\\n  ".join(lines)


def of_exchange(exchange: Exchange) -> str:
    """The curl command of a finished call; a large upload also puts the file where the answer says."""
    command = curl(exchange.method, exchange.url, exchange.query, exchange.body, exchange.file)
    if not exchange.url.endswith(ENDPOINT):
        return command
    return "\n".join([f"answer=$({command})", *map(put, exchange.body["filenameToSize"].items())])


def put(file: tuple[str, str]) -> str:
    """The bytes of a file, with the headers that are part of the signature (facts sheet 2)."""
    name, size = file
    found = f"""$(printf %s "$answer" | jq -r {shlex.quote(f".filenameToSignedUrls[{json.dumps(name)}]")})"""
    return " \\\n  ".join(
        [
            f"curl -sS -X PUT -T {shlex.quote(name)}",
            "-H 'Content-Type: application/octet-stream'",
            f"-H 'X-Goog-Content-Length-Range: {size},{size}'",
            f'"{found}"',
        ]
    )
