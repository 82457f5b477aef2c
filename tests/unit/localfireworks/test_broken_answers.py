"""Faults while answers are written: they end the answers they belong to, and no others; nobody waits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from localfireworks.backend import Backend
from localfireworks.engine.asking import Asked, Piece, Refused, Said, Token, check_bias
from localfireworks.errors import InferenceError
from localfireworks.stream_faults import unbroken
from tests.unit.localfireworks.conftest import Word

ANSWERED = ["one", "two"]


def asked(text: str) -> Asked:
    return Asked([{"role": "user", "content": text}])


class OneByOne:
    """Writes one answer at a time; "break" breaks after a word."""

    context_length = 40

    def count_prompt_tokens(self, messages: Sequence[dict[str, Any]], tools: Any) -> int:
        return 1

    def generate(self, messages: Sequence[dict[str, Any]], **given: Any) -> Iterator[Word]:
        yield Word("one")
        if messages[-1]["content"] == "break":
            raise ZeroDivisionError
        yield Word("two", finish_reason="stop")


class Together(OneByOne):
    """Writes all answers together: "break" breaks the whole step, after all tickets were forgotten, "forget"
    is never said anything, "refuse" is not taken."""

    def __init__(self) -> None:
        self.waiting: dict[int, Asked] = {}

    def open(self) -> Together:
        return Together()

    def prompt(self, messages: Any, tools: Any, *, thinking: bool) -> tuple[int, ...]:
        return (1,)

    def encode(self, text: str) -> tuple[int, ...]:
        return (1,)

    def spell(self, token: int) -> bytes:
        return b""

    def prompt_chances(self, prompt: Sequence[int]) -> list[tuple[float, tuple[Token, ...]]]:
        return []

    @property
    def busy(self) -> bool:
        return bool(self.waiting)

    def tickets(self) -> list[int]:
        return list(self.waiting)

    def add(self, ticket: int, asked: Asked) -> None:
        if asked.messages[0]["content"] == "refuse":
            raise Refused("not for me")
        self.waiting[ticket] = asked

    def drop(self, ticket: int) -> None:
        self.waiting.pop(ticket, None)

    def step(self) -> list[tuple[int, Said]]:
        waiting, self.waiting = self.waiting, {}
        said = {ticket: each.messages[0]["content"] for ticket, each in waiting.items()}
        if "break" in said.values():
            raise ZeroDivisionError
        done: Said = [Piece("one", 1, 0.0), Piece("two", 2, 0.0, "stop")]
        return [(ticket, done) for ticket, text in said.items() if text != "forget"]


class Models:
    def load(self, standin: str, adapter: Path | None) -> OneByOne:
        return Together() if standin == "small" else OneByOne()

    def count_tokens(self, source: Path | Iterable[dict[str, Any]]) -> int:
        return 0


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend(Models(), keep=2)
    yield made
    made.close()


async def words(backend: Backend, text: str, standin: str = "small") -> list[str]:
    return [piece.text async for piece in backend.stream((standin, None), asked(text))]


async def test_a_broken_answer_does_not_touch_the_others(backend: Backend) -> None:
    good, bad = (backend.stream(("one", None), asked(text)) for text in ("hello", "break"))
    assert ((await anext(good)).text, (await anext(bad)).text) == ("one", "one")
    with pytest.raises(ZeroDivisionError):
        await anext(bad)
    assert [piece.text async for piece in good] == ["two"]


async def test_a_broken_step_ends_every_answer_and_the_next_one_is_written(backend: Backend) -> None:
    with pytest.raises(ZeroDivisionError):
        await words(backend, "break")
    assert await words(backend, "hello") == ANSWERED


async def test_a_forgotten_answer_ends_too(backend: Backend) -> None:
    with pytest.raises(RuntimeError, match="no end"):
        await words(backend, "forget")
    assert await words(backend, "hello") == ANSWERED


async def test_what_the_model_refuses_is_the_fault_of_the_request(backend: Backend) -> None:
    with pytest.raises(InferenceError, match="not for me") as caught:
        await words(backend, "refuse")
    assert (caught.value.http, caught.value.code) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("fault", "code"),
    [(ZeroDivisionError(), "INTERNAL"), (InferenceError(400, "INVALID_ARGUMENT", "no"), "INVALID_ARGUMENT")],
)
async def test_a_stream_that_breaks_ends_with_an_error_event(fault: Exception, code: str) -> None:
    async def events() -> AsyncGenerator[bytes, None]:
        yield b"data: 1\n\n"
        raise fault

    first, last = [event async for event in unbroken(events())]
    assert first == b"data: 1\n\n"
    assert orjson.loads(last.removeprefix(b"data: "))["error"]["code"] == code


@pytest.mark.parametrize(
    ("bias", "words"),
    [
        ({10: 1.0}, "token 10; the ids of this model are 0 to 9"),
        ({-1: 5.0}, "token -1"),
        ({3: float("nan")}, "token 3 is nan"),
        ({3: 1e30}, "token 3 is 1e\\+30"),
    ],
)
def test_a_bias_outside_the_model_is_refused(bias: dict[int, float], words: str) -> None:
    with pytest.raises(Refused, match=words):
        check_bias(bias, 10)
    check_bias({0: -100, 9: 100}, 10)
