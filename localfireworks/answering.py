"""Models as the server sees them, and how what they write reaches those who asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from localfireworks.engine.asking import Asked, Piece, Said, Token, attempt, is_last

Messages = Sequence[dict[str, Any]]


class Written(Protocol):
    """A bit of generated text; `finish_reason` is set on the last one."""

    @property
    def text(self) -> str: ...
    @property
    def token_id(self) -> int: ...
    @property
    def logprob(self) -> float: ...
    @property
    def finish_reason(self) -> Any: ...


class Generator(Protocol):
    """A loaded model that writes one answer at a time. Lengths in tokens."""

    @property
    def context_length(self) -> int: ...

    def generate(self, messages: Messages, **asked: Any) -> Iterator[Written]: ...

    def count_prompt_tokens(self, messages: Messages, tools: Sequence[Any] | None) -> int: ...


class Answers(Protocol):
    """Answers that one model is writing, each known by its ticket."""

    @property
    def busy(self) -> bool: ...

    def tickets(self) -> list[int]: ...

    def add(self, ticket: int, asked: Asked) -> None: ...

    def drop(self, ticket: int) -> None: ...

    def step(self) -> Sequence[tuple[int, Said]]: ...


@runtime_checkable
class Batching(Protocol):
    """A loaded model that writes many answers together, and can tell its tokens."""

    def open(self) -> Answers: ...

    def prompt(
        self, messages: Messages, tools: Sequence[Any] | None, *, thinking: bool
    ) -> tuple[int, ...]: ...

    def encode(self, text: str) -> tuple[int, ...]: ...

    def spell(self, token: int) -> bytes: ...

    def prompt_chances(self, prompt: Sequence[int]) -> list[tuple[float, tuple[Token, ...]]]: ...


@runtime_checkable
class Checking(Protocol):
    """A loaded model that knows which biases it can weigh."""

    def check(self, logit_bias: Mapping[int, float]) -> None: ...


class Serial:
    """Answers of a model that writes one at a time: a piece of each in turn."""

    def __init__(self, model: Generator) -> None:
        self._model, self._running = model, dict[int, Iterator[Written]]()

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def tickets(self) -> list[int]:
        return list(self._running)

    def add(self, ticket: int, asked: Asked) -> None:
        self._running[ticket] = self._model.generate(asked.messages, **asked.plain())

    def drop(self, ticket: int) -> None:
        self._running.pop(ticket, None)

    def step(self) -> list[tuple[int, Said]]:
        return [(ticket, self._next(ticket)) for ticket in self.tickets()]

    def _next(self, ticket: int) -> Said:
        said = attempt(lambda: next(self._running[ticket], None))
        if said is None or isinstance(said, Exception) or said.finish_reason is not None:
            del self._running[ticket]
        if said is None or isinstance(said, Exception):
            return said or []
        return [Piece(said.text, said.token_id, said.logprob, said.finish_reason, said.text.encode())]


def answers_of(model: Generator) -> Answers:
    return model.open() if isinstance(model, Batching) else Serial(model)


@dataclass
class Stream:
    """The way from the thread that writes to the coroutine that reads."""

    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[Said]
    over: bool = False

    def give(self, said: Said) -> None:
        """To be called from the thread that writes."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.queue.put_nowait, said)

    async def pieces(self) -> AsyncIterator[Piece]:
        while not self.over:
            said = await self.queue.get()
            self.over = is_last(said)
            if isinstance(said, BaseException):
                raise said
            for piece in said:
                yield piece
