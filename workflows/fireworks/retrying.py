"""A bounded loop around one HTTP exchange: what is repeated, how often, and how long is waited.

The official client waits 0.5 * 2^n seconds, at most 8, with jitter, and obeys `retry-after` up to a minute
(facts sheet 1.7); the same here, but total waiting is bounded too: what asks for more patience than we
have is raised with its `retry_after`, for the engine to come back later without holding a worker.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from .errors import BadAnswer, FireworksError, OutcomeUnknown, QuotaReached, ScalingUp, Temporary, Unreachable
from .manifest import Effect, Repeat

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retries:
    """`attempts` in all; waits grow from `first` to `cap` seconds; all waits together <= `patience` s.

    `sleep` waits for one call, `sleep_among` for one of many that are under way in an event loop.
    """

    attempts: int = 4
    first: float = 0.5
    cap: float = 8.0
    patience: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    sleep_among: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

    def delay(self, attempt: int, retry_after: float | None) -> float:
        """Seconds before attempt number `attempt` + 1 (counted from 1)."""
        if retry_after is not None:
            return retry_after
        return min(self.cap, self.first * 2.0 ** (attempt - 1)) * (0.5 + self.jitter() / 2)


NO_RETRIES = Retries(attempts=1)


def repeatable(error: FireworksError, repeat: Repeat) -> bool:
    """Whether the client may send the call again by itself after this error."""
    if not isinstance(error, Temporary) or isinstance(error, ScalingUp | OutcomeUnknown):
        return False
    if repeat is Repeat.ALWAYS:
        return True
    return isinstance(error, Unreachable) or error.status in (429, 503)


def sort_lost(error: FireworksError, effect: Effect, repeat: Repeat) -> FireworksError:
    """Turn a fault that may have struck after the effect into `OutcomeUnknown`.

    A 429 was refused before anything happened; a 5xx, a 408 or a cut connection may have come after, and a
    success whose body cannot be read is one all the same.
    """
    temporary = isinstance(error, Temporary) and not isinstance(error, Unreachable) and error.status != 429
    unclear = temporary or isinstance(error, BadAnswer)
    if repeat is Repeat.UNTOUCHED and effect is not Effect.INFER and unclear:
        return OutcomeUnknown(
            f"{error} (the effect may have happened: look before asking again)", error.fault
        )
    return error


class Tries:
    """What is left of one call's count and patience."""

    def __init__(self, retries: Retries, may_repeat: Callable[[FireworksError], bool]) -> None:
        self._retries, self._may_repeat = retries, may_repeat
        self._waited, self._made = 0.0, 0

    def pause(self, error: FireworksError) -> float:
        """Seconds to wait before the next try. Raises `error` when there is none: it is not repeatable, or
        count or patience are used up."""
        self._made += 1
        pause = self._retries.delay(self._made, error.retry_after)
        spent = self._made >= self._retries.attempts or self._waited + pause > self._retries.patience
        if spent or isinstance(error, QuotaReached) or not self._may_repeat(error):
            raise error
        self._waited += pause
        return pause


def attempt(once: Callable[[], T], retries: Retries, may_repeat: Callable[[FireworksError], bool]) -> T:
    """Run `once` until it works or `Tries` raises its error."""
    tries = Tries(retries, may_repeat)
    while True:
        try:
            return once()
        except FireworksError as error:
            pause = tries.pause(error)
        retries.sleep(pause)


def wait_asked(headers: Mapping[str, str], now: Callable[[], datetime] | None = None) -> float | None:
    """Seconds that `retry-after-ms` or `retry-after` (seconds or a date) ask for; None when absent."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    asked = headers.get("retry-after", "")
    seconds = _number(asked)
    if seconds is not None or not asked:
        return seconds
    try:
        moment = parsedate_to_datetime(asked)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    current = now() if now else datetime.now(UTC)
    return max(0.0, (moment - current).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
