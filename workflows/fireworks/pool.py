"""Connections for many exchanges at once, in an event loop, over aiohttp.

httpx's pool looks through all waiting requests and connections at each exchange and takes milliseconds when
64 are under way; its requests and responses alone cost as much as all of aiohttp
(`benchmarks/completions.py`).
The ready-made `httpx-aiohttp` moreover reports a connection that was cut after the request was sent as
`ConnectTimeout`, which means "never sent": an answer that was paid for would be bought again.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import aiohttp
import httpx

from .wire import HEADERS, Received, Sending, Timeouts


class Pool:
    """Sends over the connections of one session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, sending: Sending) -> Received:
        """One exchange. Raises `httpx.TransportError`: of `ConnectError` or `ConnectTimeout` if unsent."""
        if sending.files:
            raise ValueError("files are sent one call at a time")
        try:
            async with self._session.request(
                sending.method,
                sending.url,
                params=sending.query or None,
                headers=sending.headers,
                data=sending.content,
                allow_redirects=False,
                timeout=_limits(sending.timeouts),
            ) as answer:
                return Received(answer.status, answer.headers, await answer.read())
        except aiohttp.ConnectionTimeoutError as fault:
            raise httpx.ConnectTimeout(str(fault)) from fault
        except aiohttp.ClientConnectorError as fault:
            raise httpx.ConnectError(str(fault)) from fault
        except TimeoutError as fault:
            raise httpx.ReadTimeout(str(fault)) from fault
        except aiohttp.ClientError as fault:
            raise httpx.ReadError(str(fault)) from fault


@asynccontextmanager
async def pool(connections: int, *, trust_env: bool) -> AsyncIterator[Pool]:
    """A pool of at most so many connections, kept open as long as they are used."""
    connector = aiohttp.TCPConnector(limit=connections, ssl=_trusted())
    async with aiohttp.ClientSession(
        connector=connector, headers=HEADERS, cookie_jar=aiohttp.DummyCookieJar(), trust_env=trust_env
    ) as session:
        yield Pool(session)


@cache
def _trusted() -> ssl.SSLContext:
    """Who is trusted, as for one call alone; read from disk once."""
    return httpx.create_ssl_context()


@cache
def _limits(seconds: Timeouts) -> aiohttp.ClientTimeout:
    """aiohttp has no limit for writing, so the whole exchange has one that covers it."""
    return aiohttp.ClientTimeout(
        total=seconds.pool + seconds.connect + seconds.write + seconds.read,
        connect=seconds.pool + seconds.connect,
        sock_connect=seconds.connect,
        sock_read=seconds.read,
    )
