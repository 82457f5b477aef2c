"""The token limits an inference answer names in its headers (fireworks-api.md, 1.8)."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = ("/chat/completions", "/completions")
# Tokens a minute: the tier's most for models below 600B. Shown, not enforced.
LIMITS = [
    (b"x-ratelimit-limit-tokens-prompt", b"216000000"),
    (b"x-ratelimit-limit-tokens-cache-adjusted-prompt", b"54000000"),
    (b"x-ratelimit-limit-tokens-generated", b"2160000"),
]


class TokenLimits:
    """Adds the three headers to what inference answers, its own refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *LIMITS]}
            await send(message)

        asked = scope["type"] == "http" and scope["path"].endswith(PATHS)
        await self.app(scope, receive, named if asked else send)
