"""Several streams read at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def merged(streams: Sequence[AsyncIterator[T]]) -> AsyncGenerator[tuple[int, T]]:
    """Everything the streams give, as it comes, with the number of the stream; all end with the reader."""
    queue: asyncio.Queue[tuple[int, T] | None] = asyncio.Queue()

    async def carry(number: int, stream: AsyncIterator[T]) -> None:
        try:
            async for each in stream:
                queue.put_nowait((number, each))
        finally:
            queue.put_nowait(None)

    tasks = [asyncio.create_task(carry(number, stream)) for number, stream in enumerate(streams)]
    try:
        running = len(tasks)
        while running:
            got = await queue.get()
            if got is None:
                running -= 1
            else:
                yield got
        for task in tasks:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
