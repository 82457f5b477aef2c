"""A transport that answers from a script, and a client on top of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from workflows.fireworks.client import Exchange, Fireworks
from workflows.fireworks.retrying import Retries

KEY = "fw_canary_0123456789abcdef"


class Remote:
    """Answers each `METHOD path` with what was queued for it (the last one stays); records requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.seen: list[Exchange] = []
        self._queues: dict[str, list[Any]] = {}

    def on(self, route: str, *answers: Any) -> Remote:
        """Queue answers: a dict is a 200, (status, body[, headers]) an answer, an exception is raised."""
        self._queues.setdefault(route, []).extend(answers)
        return self

    def handle(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        route = f"{request.method} {request.url.path}"
        queue = self._queues.get(route)
        if not queue:
            return httpx.Response(404, json={"code": 5, "message": f"no route {route}"})
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        status, body, headers = (*answer, {})[:3] if isinstance(answer, tuple) else (200, answer, {})
        if isinstance(body, bytes | str):
            return httpx.Response(status, content=body, headers=headers)
        return httpx.Response(status, json=body, headers=headers)

    def client(self, *, owns: Callable[[str], bool] = lambda name: True, **options: Any) -> Fireworks:
        """A client for account `acme` that owns everything and may ask every model unless told otherwise."""
        options.setdefault("account", "acme")
        options.setdefault("asks", lambda model: True)
        options.setdefault("retries", Retries(sleep=self.waits.append, jitter=lambda: 1.0))
        return Fireworks(
            options.pop("base_url", "https://api.example.test"),
            KEY,
            transport=httpx.MockTransport(self.handle),
            owns=owns,
            observe=self.seen.append,
            **options,
        )

    def calls(self, route: str) -> list[httpx.Request]:
        """The requests that went to `METHOD path`."""
        return [each for each in self.requests if f"{each.method} {each.url.path}" == route]

    def body(self, route: str, at: int = -1) -> Any:
        """JSON body of one of those requests."""
        return json.loads(self.calls(route)[at].content)


@pytest.fixture
def remote() -> Remote:
    return Remote()
