"""The stream: every line once and in order, over reloads, lost connections and the death of Redis."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient, Client

from sessions import wake
from sessions.actions.events import change, note
from sessions.models import TuningSession
from sessions.states import Status
from sessions.views.stream import BATCH, Pace, Wake, lines, message
from sessions.wake import channel
from tests.factories import make_session, make_user
from tests.integration.session_page.conftest import Redis

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 120  # seconds; only a failing test waits so long
NOWHERE = "redis://127.0.0.1:9/0"
ONLY_WORD = Pace(beat=600, poll=600, refresh=0)  # only a word from Redis can wake it in time
FAST = Pace(beat=600, poll=0, refresh=0)
T = TypeVar("T")


async def rows(function: Callable[..., T], *given: Any, **named: Any) -> T:
    """Touch the database from its own thread, and leave no connection behind."""

    def call() -> T:
        try:
            return function(*given, **named)
        finally:
            connection.close()

    return await sync_to_async(call)()


async def running(count: int = 1) -> TuningSession:
    """A running session with so many events."""
    session: TuningSession = await rows(make_session, status=Status.RUNNING)
    for number in range(2, count + 1):
        await rows(note, session, "k", f"line {number}")
    return session


@pytest.fixture
def session(transactional_db: None) -> TuningSession:
    """Asked for before `live_redis`: a start also speaks to the broker of Celery, which is another."""
    return make_session(status=Status.RUNNING)


async def until(stream: AsyncIterator[str], done: Callable[[str], bool]) -> list[str]:
    """The messages up to the first that fits, inclusive."""
    found = []
    async with asyncio.timeout(PATIENCE):
        async for each in stream:
            found.append(each)
            if done(each):
                break
    return found


def is_refresh(text: str) -> bool:
    return text.startswith("event: refresh")


def has_line(seq: int) -> Callable[[str], bool]:
    return lambda text: text.startswith(f"id: {seq}\n")


def seqs(messages: list[str]) -> list[int]:
    return [int(found[1]) for each in messages if (found := re.match(r"id: (\d+)\nevent: line\n", each))]


def listen(session: TuningSession, after: int, url: str, pace: Pace) -> AsyncIterator[str]:
    return lines(session, after, Wake(url, channel(session.public_id)), pace)


async def test_it_replays_what_came_after_the_last_seen() -> None:
    session = await running(5)
    heard = await until(listen(session, 2, NOWHERE, FAST), is_refresh)
    assert heard[0].startswith("retry: ")
    assert seqs(heard) == [3, 4, 5]
    assert 'id="event-3"' in heard[1]


async def test_a_burst_makes_one_refresh() -> None:
    session = await running(8)
    heard = await until(listen(session, 0, NOWHERE, FAST), lambda text: text.startswith("event: beat"))
    assert seqs(heard) == list(range(1, 9))
    assert sum(map(is_refresh, heard)) == 1


async def test_word_from_redis_brings_the_next_line(session: TuningSession, live_redis: Redis) -> None:
    stream = listen(session, 0, live_redis.url, ONLY_WORD)
    await until(stream, lambda text: text.startswith("event: beat"))
    await rows(note, session, "k", "second")
    heard = await until(stream, is_refresh)
    assert seqs(heard) == [2]


async def test_a_poke_without_a_line_refreshes_too(session: TuningSession, live_redis: Redis) -> None:
    stream = listen(session, 1, live_redis.url, ONLY_WORD)
    await until(stream, lambda text: text.startswith("event: beat"))
    await asyncio.to_thread(wake.publish, session.public_id)
    assert is_refresh((await until(stream, is_refresh))[-1])


async def test_without_redis_the_rows_are_polled() -> None:
    session = await running()
    stream = listen(session, 1, NOWHERE, FAST)
    await until(stream, is_refresh)
    await rows(note, session, "k", "second")
    assert seqs(await until(stream, has_line(2))) == [2]


async def test_nothing_is_lost_or_doubled_when_redis_dies_and_comes_back(
    session: TuningSession, live_redis: Redis
) -> None:
    stream = listen(session, 0, live_redis.url, Pace(beat=600, poll=0, refresh=0))
    heard = await until(stream, has_line(1))
    live_redis.kill()
    for number in (2, 3):
        await rows(note, session, "k", f"line {number}")
    heard += await until(stream, has_line(3))
    live_redis.start()
    for number in (4, 5):
        await rows(note, session, "k", f"line {number}")
    heard += await until(stream, has_line(5))
    assert seqs(heard) == [1, 2, 3, 4, 5]


async def test_it_ends_when_the_session_is_over() -> None:
    session = await running(3)
    await rows(change, session, "ended", "Session succeeded", to={"status": Status.SUCCEEDED})
    heard = await until(listen(session, 1, NOWHERE, FAST), lambda _text: False)
    assert seqs(heard) == [2, 3, 4]
    assert [text.split("\n")[0] for text in heard[-2:]] == ["event: refresh", "event: end"]


async def test_a_long_log_is_sent_in_batches_without_a_gap() -> None:
    session = await running()

    def fill() -> None:
        for number in range(BATCH + 30):
            note(session, "k", f"line {number}")
        change(session, "ended", "over", to={"status": Status.FAILED})

    await rows(fill)
    heard = await until(listen(session, 0, NOWHERE, FAST), lambda _text: False)
    assert seqs(heard) == list(range(1, BATCH + 33))


async def test_no_connection_is_held_while_waiting(session: TuningSession, live_redis: Redis) -> None:
    stream = listen(session, 0, live_redis.url, ONLY_WORD)
    await until(stream, lambda text: text.startswith("event: beat"))
    assert await sync_to_async(lambda: connection.connection)() is None


async def ears(session: TuningSession, wanted: int) -> bool:
    """Whether Redis comes to count `wanted` listeners: it learns of a closed connection a moment after us."""

    def count() -> int:
        return int(wake.connection().pubsub_numsub(channel(session.public_id))[0][1])

    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(count) != wanted:  # noqa: ASYNC110  # Redis tells nobody of one that goes
                await asyncio.sleep(0.02)
            return True
    return False


async def test_it_lets_go_of_redis_when_the_reader_leaves(session: TuningSession, live_redis: Redis) -> None:
    ear = Wake(live_redis.url, channel(session.public_id))
    stream = lines(session, 0, ear, ONLY_WORD)
    await until(stream, lambda text: text.startswith("event: beat"))
    assert await ears(session, 1)
    await stream.aclose()  # type: ignore[attr-defined]
    assert await ears(session, 0)


@pytest.mark.parametrize(
    ("address", "headers", "first"),
    [("", {}, 1), ("?after=2", {}, 3), ("?after=1", {"Last-Event-ID": "3"}, 4), ("?after=x", {}, 1)],
)
async def test_the_view_goes_on_from_the_later_of_header_and_address(
    address: str, headers: dict[str, str], first: int, settings: Any
) -> None:
    settings.REDIS_URL = NOWHERE
    session = await running(4)
    await rows(change, session, "ended", "over", to={"status": Status.SUCCEEDED})
    response = await AsyncClient().get(f"/s/{session.public_id}/stream/{address}", headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-store"
    heard = await until(aiter_text(response), lambda _text: False)
    assert seqs(heard) == list(range(first, 6))


async def aiter_text(response: Any) -> AsyncIterator[str]:
    async for part in response.streaming_content:
        yield part.decode()


async def test_only_reading_is_allowed_and_only_ones_own() -> None:
    session = await running()
    mine = f"/s/{session.public_id}/stream/"
    theirs = await rows(lambda: make_session(user=make_user("ann")))
    assert (await AsyncClient().post(mine)).status_code == 405
    assert (await AsyncClient().get(f"/s/{theirs.public_id}/stream/")).status_code == 404


def test_a_line_of_the_stream_is_the_row_of_the_page(client: Client) -> None:
    session = make_session(status=Status.RUNNING)
    note(session, "k", "a <b>bold</b>\nline")

    async def first() -> str:
        return (await until(listen(session, 1, NOWHERE, FAST), has_line(2)))[-1]

    sent = asyncio.run(first())
    row = "\n".join(part.removeprefix("data: ") for part in sent.splitlines() if part.startswith("data: "))
    page = client.get(f"/s/{session.public_id}/?tab=events").content.decode()
    assert "a &lt;b&gt;bold&lt;/b&gt;" in row
    assert row.split("<time")[0] in page


def test_every_line_of_the_data_gets_its_field() -> None:
    assert message("line", "a\nb\r\nc", 3) == "id: 3\nevent: line\ndata: a\ndata: b\ndata: c\n\n"
