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
from typing import Any

from localfireworks.backend import Engine, Generator, Messages
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


@dataclass(frozen=True)
class Word:
    """A piece of the judge's answer: a word or a sign, said with certainty."""

    text: str
    token_id: int
    logprob: float = 0.0
    finish_reason: str | None = None


@dataclass(frozen=True)
class Judge:
    """A "model" that the backend loads like any other. Its tokens are words and signs."""

    bias: Bias = FAIR
    context_length: int = WINDOW

    def count_prompt_tokens(self, messages: Messages, tools: Sequence[Any] | None) -> int:
        del tools
        return len(TOKEN.findall(text_of(messages, ("system", "user", "assistant"))))

    def generate(
        self,
        messages: Messages,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        response_format: dict[str, Any] | None = None,
        **_: Any,
    ) -> Iterator[Word]:
        """The verdict, word by word; temperature and seed have no effect."""
        text = judgement(messages, response_format, self.bias)
        text = text[: min([text.find(end) for end in stop if end and end in text], default=len(text))]
        words = TOKEN.findall(text)
        shown = words[:max_tokens] or [""]
        for number, word in enumerate(shown, 1):
            reason = ("length" if len(words) > len(shown) else "stop") if number == len(shown) else None
            yield Word(word, int.from_bytes(hashlib.sha256(word.encode()).digest()[:2]), 0.0, reason)


@dataclass(frozen=True)
class JudgingEngine:
    """An engine that also has the judge."""

    engine: Engine
    bias: Bias = FAIR

    def load(self, standin: str, adapter: Path | None) -> Generator:
        return Judge(self.bias) if standin == STANDIN else self.engine.load(standin, adapter)

    def count_tokens(self, source: Path | Iterable[dict[str, Any]]) -> int:
        return self.engine.count_tokens(source)
