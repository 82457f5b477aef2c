"""`x-request-id` on every answer that has none of its own (fireworks-api.md, 1.8)."""

from __future__ import annotations

import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAME = b"x-request-id"


class RequestIds:
    """Adds the header; a person can then name the request they ask about."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if all(name != NAME for name, _ in headers):
                    headers.append((NAME, secrets.token_hex(16).encode()))
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, named if scope["type"] == "http" else send)
