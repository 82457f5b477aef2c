"""Many chat completions at once, over the one client and its connections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from .client import CONNECTIONS, Fireworks
from .errors import FireworksError
from .inference import Address, Completion, complete
from .wire import Json

Outcome = tuple[str, Completion | FireworksError]


def complete_many(
    fireworks: Fireworks, questions: Iterable[tuple[str, Json]], forms: Sequence[Address], at_once: int = 16
) -> Iterator[Outcome]:
    """Ask all `questions` (key, body of `chat_body`); yield (key, answer or error) as they come in.

    No more than `at_once` are under way, and a new one is taken only after the caller came back for the
    next outcome: a caller that stores each outcome before going on and stops, for example at the first
    `NeedsPerson`, loses at most the answers that were under way. Only a `FireworksError` is an outcome.
    """
    waiting = iter(questions)
    limit = max(1, min(at_once, CONNECTIONS))
    running: dict[Future[Completion], str] = {}
    with ThreadPoolExecutor(limit, thread_name_prefix="completion") as pool:
        while True:
            for key, body in islice(waiting, limit - len(running)):
                running[pool.submit(complete, fireworks, body, forms)] = key
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            future = done.pop()
            yield running.pop(future), _outcome(future)


def _outcome(future: Future[Completion]) -> Completion | FireworksError:
    try:
        return future.result()
    except FireworksError as error:
        return error
