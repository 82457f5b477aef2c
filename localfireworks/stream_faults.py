"""Streams of server-sent events that never just break off."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson

from localfireworks.errors import InferenceError

log = logging.getLogger("localfireworks")


async def unbroken(events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The events; a fault in the middle becomes the last one, in the form of an error's body."""
    async with aclosing(events):
        try:
            async for event in events:
                yield event
        except InferenceError as error:
            yield _event(error)
        except Exception:
            log.exception("A stream broke off")
            yield _event(InferenceError(500, "INTERNAL", "Internal error"))


def _event(error: InferenceError) -> bytes:
    return b"data: " + orjson.dumps(error.body()) + b"\n\n"
