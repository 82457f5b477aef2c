"""The judge of rehearsals: a fixed rule in the place of a model, under a name that says so.

It reads two marked answers (`judge_reading`), scores each by a documented rule (`judge_rules`) and says its
verdict in the form that was asked for (`judge_verdict`). Swapping the answers swaps the verdict. For testing
what is done with verdicts, a bias for the first place and noise can be set at the start of the server.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from localfireworks.answering import Generator, Messages
from localfireworks.backend import Engine
from localfireworks.engine.asking import Asked, Piece, Token
from localfireworks.judge_reading import Comparison, text_of
from localfireworks.judge_rules import score
from localfireworks.judge_verdict import Verdict, compared, may_tie, say, schema_of

STANDIN = "judge"
TIE_MARGIN = 0.02
WINDOW = 131_072
TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])|\s+$")
NOTHING = "No two answers are marked in this prompt, so there is nothing to compare."


@dataclass(frozen=True)
class Bias:
    """Added to the first answer's score; `noise` is the deviation of an error that depends on the prompt."""

    first: float = 0.0
    noise: float = 0.0


FAIR = Bias()


def _uniform(*parts: str) -> float:
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return (int.from_bytes(digest[:7]) + 1) / (2**56 + 1)


def _error(comparison: Comparison) -> float:
    """A standard normal number that belongs to this comparison (Box-Muller)."""
    parts = (comparison.asked, comparison.first, comparison.second)
    return math.sqrt(-2 * math.log(_uniform("r", *parts))) * math.cos(2 * math.pi * _uniform("a", *parts))


def decide(comparison: Comparison, *, tie: bool, bias: Bias = FAIR) -> Verdict:
    """The verdict; without ties, equals are decided by their texts alone, never by their places."""
    scores = score(comparison.asked, comparison.first), score(comparison.asked, comparison.second)
    difference = scores[0] - scores[1] + bias.first
    if bias.noise:
        difference += bias.noise * _error(comparison)
    if abs(difference) <= TIE_MARGIN:
        if tie or comparison.first == comparison.second:
            return Verdict(None if tie else 0, comparison, scores)
        difference = _uniform(comparison.first) - _uniform(comparison.second)
    return Verdict(0 if difference > 0 else 1, comparison, scores)


def judgement(messages: Messages, response_format: dict[str, Any] | None = None, bias: Bias = FAIR) -> str:
    """The judge's whole answer to a conversation."""
    comparison = compared(messages)
    if comparison is None:
        return NOTHING
    prompt = text_of(messages, ("system", "user"))
    tie = may_tie(prompt, schema_of(response_format))
    return say(decide(comparison, tie=tie, bias=bias), prompt, response_format)


class Vocabulary:
    """Words and signs with the space before them, numbered as they are met; texts come back unchanged."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._ids: dict[str, int] = {}

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._id(word) for word in TOKEN.findall(text))

    def word(self, token: int) -> str:
        return self._words[token]

    def _id(self, word: str) -> int:
        if word not in self._ids:
            self._ids[word] = len(self._words)
            self._words.append(word)
        return self._ids[word]


class Judge:
    """A "model" that the backend loads like any other. Its tokens are words and signs."""

    def __init__(self, bias: Bias = FAIR) -> None:
        self.bias, self.vocabulary = bias, Vocabulary()

    @property
    def context_length(self) -> int:
        return WINDOW

    def prompt(
        self, messages: Messages, tools: Sequence[Any] | None = None, *, thinking: bool = True
    ) -> tuple[int, ...]:
        """Ids of the messages' texts; roles and tools are left out."""
        del tools, thinking
        return self.vocabulary.encode(text_of(messages, ("system", "user", "assistant")))

    def encode(self, text: str) -> tuple[int, ...]:
        return self.vocabulary.encode(text)

    def spell(self, token: int) -> bytes:
        return self.vocabulary.word(token).encode()

    def count_prompt_tokens(self, messages: Messages, tools: Sequence[Any] | None = None) -> int:
        return len(self.prompt(messages, tools))

    def prompt_chances(self, prompt: Sequence[int]) -> list[tuple[float, tuple[Token, ...]]]:
        """Nothing is more or less likely to a rule."""
        return [(0.0, (Token(token, self.spell(token), 0.0),)) for token in prompt[1:]]

    def open(self) -> Judgements:
        return Judgements(self)

    def generate(self, messages: Messages, **asked: Any) -> Iterator[Piece]:
        """The verdict, word by word; temperature and seed have no effect."""
        return iter(self.pieces(Asked(messages, **{**asked, "stop": tuple(asked.get("stop", ()))})))

    def answer(self, messages: Messages, response_format: dict[str, Any] | None) -> str:
        """All of it, by the rule."""
        return judgement(messages, response_format, self.bias)

    def pieces(self, asked: Asked) -> list[Piece]:
        """One whole answer."""
        given = "".join(self.vocabulary.word(token) for token in asked.prompt or ())
        messages = asked.messages or [{"role": "user", "content": given}]
        text = self.answer(messages, asked.response_format)
        text = text[: min([text.find(end) for end in asked.stop if end and end in text], default=len(text))]
        tokens = self.encode(text) or self.encode(" ")
        shown, cut = tokens[: asked.max_tokens], len(tokens) > asked.max_tokens
        return [
            self._piece(token, last=number == len(shown), cut=cut) for number, token in enumerate(shown, 1)
        ]

    def _piece(self, token: int, *, last: bool, cut: bool) -> Piece:
        reason: Literal["stop", "length"] | None = ("length" if cut else "stop") if last else None
        top = (Token(token, self.spell(token), 0.0),)
        return Piece(self.vocabulary.word(token), token, 0.0, reason, self.spell(token), top)


class Judgements:
    """A batch of the judge: each answer is whole at the first step."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._waiting: dict[int, Asked] = {}

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def tickets(self) -> list[int]:
        return list(self._waiting)

    def add(self, ticket: int, asked: Asked) -> None:
        self._waiting[ticket] = asked

    def drop(self, ticket: int) -> None:
        self._waiting.pop(ticket, None)

    def step(self) -> list[tuple[int, list[Piece]]]:
        asked, self._waiting = self._waiting, {}
        return [(ticket, self._judge.pieces(each)) for ticket, each in asked.items()]


@dataclass(frozen=True)
class JudgingEngine:
    """An engine that also has the judge."""

    engine: Engine
    bias: Bias = FAIR

    def load(self, standin: str, adapter: Path | None) -> Generator:
        return Judge(self.bias) if standin == STANDIN else self.engine.load(standin, adapter)

    def count_tokens(self, source: Path | Iterable[dict[str, Any]]) -> int:
        return self.engine.count_tokens(source)
