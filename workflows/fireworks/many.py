"""Many chat completions at once: one event loop that runs while the caller waits for the next outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, closing
from functools import partial
from itertools import islice

from .client import CONNECTIONS, Fireworks
from .errors import FireworksError
from .inference import Address, Completion, steps
from .wire import Json

Outcome = tuple[str, Completion | FireworksError]
More = Callable[[int], Iterable[tuple[str, Json]]]


def complete_many(
    fireworks: Fireworks, questions: Iterable[tuple[str, Json]], forms: Sequence[Address], at_once: int = 16
) -> Iterator[Outcome]:
    """Ask all `questions` (key, body of `chat_body`); yield (key, answer or error) as they come in.

    As `complete_groups`, outcome by outcome: a new question is taken only after the caller came back.
    """
    with closing(complete_groups(fireworks, partial(islice, iter(questions)), forms, at_once)) as groups:
        for group in groups:
            yield from group


def complete_groups(
    fireworks: Fireworks, more: More, forms: Sequence[Address], at_once: int = 16
) -> Generator[list[Outcome]]:
    """Ask what `more` gives; yield (key, answer or error) in groups: all that are there at the moment.

    `more(n)` is called whenever n more may be under way, and gives up to so many questions (key, body of
    `chat_body`). It is called only after the caller came back for the next group: a caller that stores each
    group before going on and stops, for example at the first `NeedsPerson`, loses at most what was under
    way, `at_once` answers. Only a `FireworksError` is an outcome; any other fault is raised after the group
    that it came with, and after `more(0)`, so that what came can be stored. Must not be called from an event
    loop. What the client looks up to permit a form is looked up in one: where that takes a database, ask
    `permit_asking` before.
    """
    limit = max(1, min(at_once, CONNECTIONS))
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
                for key, body in more(limit - len(running)):
                    task = loop.create_task(outcome(key, body))
                    task.add_done_callback(over.put_nowait)
                    running.add(task)
                if not running:
                    return
                ended = [loop.run_until_complete(over.get())]
                ended += [over.get_nowait() for _ in range(over.qsize())]
                yield [each.result() for each in ended if not each.exception()]
                if any(isinstance(each.exception(), Exception) for each in ended):
                    more(0)
                running -= {each for each in ended if each.result()}  # raises what is no outcome
        finally:
            loop.run_until_complete(_end(running))
            loop.run_until_complete(opened.aclose())


async def _end(running: Iterable[asyncio.Task[Outcome]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
