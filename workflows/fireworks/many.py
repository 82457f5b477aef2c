"""Many chat completions at once: one event loop that runs while the caller waits for the next outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import islice

from .client import CONNECTIONS, Fireworks
from .errors import FireworksError
from .inference import Address, Completion, steps
from .wire import Json

Outcome = tuple[str, Completion | FireworksError]


def complete_many(
    fireworks: Fireworks, questions: Iterable[tuple[str, Json]], forms: Sequence[Address], at_once: int = 16
) -> Iterator[Outcome]:
    """Ask all `questions` (key, body of `chat_body`); yield (key, answer or error) as they come in.

    No more than `at_once` are under way, and a new one is taken only after the caller came back for the
    next outcome: a caller that stores each outcome before going on and stops, for example at the first
    `NeedsPerson`, loses at most the answers that were under way. Only a `FireworksError` is an outcome.
    Must not be called from an event loop. What the client looks up to permit a form is looked up in one:
    where that takes a database, ask `permit_asking` before.
    """
    waiting, limit = iter(questions), max(1, min(at_once, CONNECTIONS))
    running: set[asyncio.Task[Outcome]] = set()
    over: asyncio.Queue[asyncio.Task[Outcome]] = asyncio.Queue()
    with asyncio.Runner() as runner:
        loop, opened = runner.get_loop(), AsyncExitStack()
        ask = loop.run_until_complete(opened.enter_async_context(fireworks.among(limit)))

        async def outcome(key: str, body: Json) -> Outcome:
            try:
                return key, await ask(steps(fireworks, body, forms))
            except FireworksError as error:
                return key, error

        try:
            while True:
                for key, body in islice(waiting, limit - len(running)):
                    task = loop.create_task(outcome(key, body))
                    task.add_done_callback(over.put_nowait)
                    running.add(task)
                if not running:
                    return
                ended = loop.run_until_complete(over.get())
                yield ended.result()
                running.remove(ended)
        finally:
            loop.run_until_complete(_end(running))
            loop.run_until_complete(opened.aclose())


async def _end(running: Iterable[asyncio.Task[Outcome]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
