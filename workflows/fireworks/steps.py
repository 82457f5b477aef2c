"""A call as steps without I/O, so that what is sent, read and repeated is written once for both drivers.

A call is a generator: it yields what to send and is given what was received (or thrown the fault of the
transport), or yields a number of seconds to wait. `run` takes the steps of one call; `run_among` those of one
of many calls that are under way in an event loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

import httpx

from .wire import Received, Sending

T = TypeVar("T")
Steps = Generator[Sending | float, Any, T]


def run(steps: Steps[T], send: Callable[[Sending], Received], sleep: Callable[[float], None]) -> T:
    """Take all steps, one after another. Raises what the steps raise."""
    try:
        step = next(steps)
        while True:
            if isinstance(step, Sending):
                try:
                    received = send(step)
                except httpx.RequestError as fault:
                    step = steps.throw(fault)
                else:
                    step = steps.send(received)
            else:
                sleep(step)
                step = next(steps)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        steps.close()


async def run_among(
    steps: Steps[T],
    send: Callable[[Sending], Awaitable[Received]],
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    """As `run`, letting others go on meanwhile."""
    try:
        step = next(steps)
        while True:
            if isinstance(step, Sending):
                try:
                    received = await send(step)
                except httpx.RequestError as fault:
                    step = steps.throw(fault)
                else:
                    step = steps.send(received)
            else:
                await sleep(step)
                step = next(steps)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        steps.close()
