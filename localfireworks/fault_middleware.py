"""Lets fault switches strike requests: waits, refuses, breaks the connection before or after the effect."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from localfireworks import faults
from localfireworks.fault_answers import ANSWERS

CONNECTION = "localfireworks.connection"
EXEMPT = ("/admin", "/healthz", "/favicon.ico")
Sleep = Callable[[float], Awaitable[Any]]


class BreakableHttp(H11Protocol):
    """Uvicorn's HTTP, with the connection in the scope, where a fault can reach and close it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner: Any = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await inner({**scope, "extensions": {CONNECTION: transport}}, receive, send)

        self.app = app


class FaultSwitches:
    """Strikes what the switches say; the page of people and the admin calls are never struck."""

    def __init__(self, app: ASGIApp, sleep: Sleep = asyncio.sleep) -> None:
        self.app, self.sleep = app, sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/" or scope["path"].startswith(EXEMPT):
            await self.app(scope, receive, send)
            return
        struck = faults.drawn(
            scope["app"].state.service.store, scope["method"], scope["path"], faults.REQUEST_KINDS
        )
        for fault in struck:
            if fault.kind == "latency":
                await self.sleep(fault.parameters.seconds)
        kinds = [fault for fault in struck if fault.kind != "latency"]
        if not kinds:
            await self.app(scope, receive, send)
        elif kinds[0].kind in ANSWERS:
            await ANSWERS[kinds[0].kind](kinds[0], scope["path"])(scope, receive, send)
        else:
            if kinds[0].kind == "lost-answer":
                await self.app(scope, receive, _nowhere)
            elif kinds[0].kind == "cut-answer":
                with suppress(Cut):
                    await self.app(scope, receive, _half(send))
            await break_connection(scope, receive, reset=kinds[0].kind == "reset")


class Cut(Exception):
    """As much of the answer was sent as the client may see."""


async def _nowhere(_: Message) -> None:
    """The answer that is lost."""


def _half(send: Send) -> Send:
    """Sends the head of the answer and half of its body, or the first piece of a stream, then no more."""

    async def sent(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.body":
            streamed = message.get("more_body", False)
            part = body if streamed else body[: len(body) // 2]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            raise Cut
        await send(message)

    return sent


async def break_connection(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Close the socket without an answer, with a TCP reset or plainly, and wait until it is closed.

    Without a socket (an application called in its own process) ConnectionResetError is raised instead.
    """
    transport = scope.get("extensions", {}).get(CONNECTION)
    if transport is None:
        raise ConnectionResetError("a fault switch broke this connection")
    if reset:
        # Lingering for 0 seconds makes the kernel send RST where it would send FIN.
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
