"""The same calls as a Python program over the official SDK (`pip install fireworks-ai`), for a person to run.

The SDK's own `post` takes path, query and body as they are, so what is shown is exactly what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pprint import pformat
from textwrap import indent
from typing import Any
from urllib.parse import urlsplit

from .redaction import redact_body
from .wire import Exchange

ENDPOINT = ":getUploadEndpoint"
WIDTH = 100


def program(calls: Iterable[Exchange], base_url: str = "", key: str = "") -> str:
    """A whole program; empty without calls. Without `base_url` it speaks to Fireworks with the environment's
    key."""
    lines = [line for each in calls for line in statements(each)]
    if not lines:
        return ""
    where = f"api_key={key!r}, base_url={base_url!r}" if base_url else ""
    note = "" if base_url else "  # reads FIREWORKS_API_KEY"
    uses = "\n".join(lines)
    imports = ["from pathlib import Path", ""] if "Path(" in uses else []
    imports += ["import httpx"] if "httpx." in uses else []
    head = [*imports, "from fireworks import Fireworks", "", f"client = Fireworks({where}){note}"]
    return "\n".join([*head, uses]) + "\n"


def statements(call: Exchange) -> list[str]:
    """One call as Python; a large upload also puts the file where the answer says."""
    given = [repr(urlsplit(call.url).path), *arguments(call), "cast_to=object"]
    lines = [f"client.{call.method.lower()}(", *(indent(f"{each},", "    ") for each in given), ")"]
    if call.url.endswith(ENDPOINT):
        lines = [f"urls = {lines[0]}", *lines[1:], *puts(call.body)]
    return lines


def arguments(call: Exchange) -> list[str]:
    """What a call is given beside its path."""
    options: dict[str, Any] = {"params": dict(call.query)} if call.query else {}
    found = []
    if call.body is not None:
        body = pformat(redact_body(call.body), width=WIDTH, sort_dicts=False)
        found.append("body=" + body.replace("\n", "\n     "))  # in line with its first row
    if call.file:
        options["headers"] = {"Content-Type": "multipart/form-data"}
        found.append(f"files={{'file': Path({call.file!r})}}")
    return [*found, f"options={options!r}"] if options else found


def puts(body: Mapping[str, Any]) -> list[str]:
    """The bytes of each file, with the headers that are part of the signature (facts sheet 2)."""
    lines = []
    for name, size in body["filenameToSize"].items():
        headers = {
            "Content-Type": "application/octet-stream",
            "X-Goog-Content-Length-Range": f"{size},{size}",
        }
        target = f"urls['filenameToSignedUrls'][{name!r}]"
        lines.append(f"httpx.put({target}, content=Path({name!r}).read_bytes(), headers={headers!r})")
    return lines
