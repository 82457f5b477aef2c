"""The live stream of a session as server-sent events.

Every event row is sent once, in its order, as `id: seq`, `event: line`; `refresh` (without an id) tells the
page to fetch its fragments; `beat` every few seconds shows that the stream lives; `end` closes it. A reader
that comes back with the last id it saw misses nothing and gets nothing twice. Redis only wakes: with Redis
away the rows are read every two seconds. Nothing is held while waiting, neither transaction nor connection.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET
from redis import RedisError
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from sessions.models import TuningSession
from sessions.numbers import row_number
from sessions.views.reading import events_after, session_or_404
from sessions.wake import channel

BEAT_SECONDS = 15.0
POLL_SECONDS = 2.0
REFRESH_SECONDS = 1.0  # a page fetches its fragments at most this often
BATCH = 200
RETRY_MS = 2000


@dataclass(frozen=True)
class News:
    """What has happened since the last event that a reader saw."""

    lines: list[tuple[int, str]]  # (seq, rendered row)
    over: bool


@dataclass(frozen=True)
class Pace:
    """How often a stream does what, in seconds."""

    beat: float = BEAT_SECONDS
    poll: float = POLL_SECONDS
    refresh: float = REFRESH_SECONDS


@require_GET
async def stream(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The events of a session after `Last-Event-ID` or `?after=`, whichever is later, and then live."""
    user = await request.auser()
    session = await sync_to_async(session_or_404)(user, public_id)
    after = max(
        row_number(request.headers.get("Last-Event-ID")) or 0, row_number(request.GET.get("after")) or 0
    )
    response = StreamingHttpResponse(
        lines(session, after, Wake(settings.REDIS_URL, channel(public_id))), content_type="text/event-stream"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def lines(
    session: TuningSession, after: int, wake: Wake, pace: Pace | None = None
) -> AsyncIterator[str]:
    """The text of the stream, until the session is over or the reader goes away."""
    pace = pace or Pace()
    refreshed = beaten = -math.inf  # not 0: a machine that has just started has a young clock
    stale = True  # rows may have changed between the page and the stream: refresh once at the start
    yield f"retry: {RETRY_MS}\n\n"
    async with wake:
        while True:
            news = await sync_to_async(read)(session.pk, after)
            for seq, row in news.lines:
                yield message("line", row, seq)
                after = seq
            stale = stale or bool(news.lines) or wake.woken
            if len(news.lines) == BATCH:
                continue
            now = time.monotonic()
            if news.over:
                yield message("refresh", "now")
                yield message("end", "over")
                return
            if stale and now - refreshed >= pace.refresh:
                yield message("refresh", "now")
                stale, refreshed = False, now
            if now - beaten >= pace.beat:
                yield message("beat", "alive")
                beaten = now
            await wake.wait(pace.refresh if stale else pace.beat, pace.poll)


def read(pk: int, after: int) -> News:
    """Rows after a number, rendered; the connection is given back, since the next wait may be long."""
    try:
        # The state is read before the rows: a session that was over then has no later event.
        session = TuningSession.objects.get(pk=pk)
        rows = events_after(session, after, BATCH)
        found = [(row.seq, str(render_to_string("session/_event.html", {"event": row}))) for row in rows]
        return News(found, session.is_over and len(rows) < BATCH)
    finally:
        if not connection.in_atomic_block:
            connection.close()


def message(event: str, data: str, seq: int | None = None) -> str:
    """One server-sent event; each line of the data gets its own field, as the format asks for."""
    fields = [] if seq is None else [f"id: {seq}"]
    fields.append(f"event: {event}")
    fields += [f"data: {line}" for line in data.strip().splitlines()]
    return "\n".join(fields) + "\n\n"


@dataclass
class Wake:
    """Waits for word from Redis, and polls while Redis is away."""

    url: str
    channel: str
    woken: bool = False
    _redis: Redis | None = None
    _heard: PubSub | None = field(default=None, repr=False)

    async def __aenter__(self) -> Wake:
        await self._listen()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._drop()

    async def wait(self, longest: float, poll: float) -> None:
        """Until there is word, or `longest` seconds; with Redis away at most `poll` seconds."""
        self.woken = False
        if self._heard is None:
            await asyncio.sleep(min(longest, poll))
            await self._listen()
            self.woken = True  # nobody would have told us
            return
        try:
            self.woken = await self._word(longest)
        except (RedisError, OSError):
            await self._drop()

    async def _word(self, longest: float) -> bool:
        """Whether something was published; several words that came together count as one."""
        assert self._heard is not None  # noqa: S101  # only called while listening
        first = await self._heard.get_message(ignore_subscribe_messages=True, timeout=longest)
        following = first
        while following is not None:
            following = await self._heard.get_message(ignore_subscribe_messages=True, timeout=0)
        return first is not None

    async def _listen(self) -> None:
        self._redis = Redis.from_url(self.url, socket_connect_timeout=1)
        self._heard = self._redis.pubsub()
        try:
            await self._heard.subscribe(self.channel)
        except (RedisError, OSError):
            await self._drop()

    async def _drop(self) -> None:
        heard, redis, self._heard, self._redis = self._heard, self._redis, None, None
        for each in (heard, redis):
            if each is not None:
                with suppress(RedisError, OSError):
                    await each.aclose()
