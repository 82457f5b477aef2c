"""Streams of server-sent events that never just break off."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson

from localfireworks.errors import InferenceError
from localfireworks.guard import caught

log = logging.getLogger("localfireworks")


async def unbroken(events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The events; a fault in the middle becomes the last one, in the form of an error's body."""
    async with aclosing(events):
        with caught() as outcome:
            async for event in events:
                yield event
        fault = outcome.fault
        if isinstance(fault, InferenceError):
            yield _event(fault)
        elif fault is not None:
            log.error("A stream broke off", exc_info=fault)
            yield _event(InferenceError(500, "INTERNAL", "Internal error"))


def _event(error: InferenceError) -> bytes:
    return b"data: " + orjson.dumps(error.body()) + b"\n\n"
