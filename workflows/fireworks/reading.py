"""From what was received, or not, to an answer or a typed error without secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from .errors import BadAnswer, Fault, FireworksError, Temporary, Unreachable, error_for, parse_fault
from .retrying import wait_asked
from .wire import Answer, Received

Redact = Callable[[str], str]


def read(received: Received, doing: str, redact: Redact) -> Answer:
    """The answer of a success; `doing` is what was asked, as "METHOD path". Raises `FireworksError`."""
    try:
        decoded = json.loads(received.content) if received.content.strip() else {}
    except ValueError:
        decoded = None
    if not 200 <= received.status < 300:
        raise _refusal(received, decoded, doing, redact)
    if not isinstance(decoded, dict):
        raise BadAnswer(f"{doing}: the answer is not a JSON object", Fault(status=received.status))
    return Answer(received.status, decoded, received.headers)


def no_answer(fault: httpx.TransportError, doing: str, host: str, redact: Redact) -> FireworksError:
    """Why no answer came: `Unreachable` when surely nothing was sent."""
    words = redact(str(fault)) or type(fault).__name__
    if isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Unreachable(f"{doing}: {host} cannot be reached: {words}")
    return Temporary(f"{doing}: no answer came: {words}")


def _refusal(received: Received, decoded: Any, doing: str, redact: Redact) -> FireworksError:
    words = received.content.decode(errors="replace") if decoded is None else ""
    fault = parse_fault(received.status, decoded, words)
    return error_for(
        replace(
            fault,
            message=redact(fault.message),
            request_id=received.headers.get("x-request-id", ""),
            retry_after=wait_asked(received.headers),
        ),
        doing,
    )
