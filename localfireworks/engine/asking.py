"""What is asked of a model and what it gives back: plain values, without JAX."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

Made = TypeVar("Made")
TOP = 5  # alternatives of a token that can be told


@dataclasses.dataclass(frozen=True)
class Asked:
    """One answer that is wanted, token limits and all.

    `prompt` has the ids to continue; without it the messages are rendered. `temperature` 0 is greedy; `top_k`
    0, `top_p` 1 and `min_p` 0 leave all tokens in. `response_format` is the one of the API. `top_logprobs` is
    the number of alternatives told with each token.
    """

    messages: Sequence[dict[str, Any]] = ()
    tools: Sequence[Any] | None = None
    thinking: bool = True
    prompt: tuple[int, ...] | None = None
    max_tokens: int = 16
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    response_format: dict[str, Any] | None = None
    top_logprobs: int = 0
    logit_bias: Mapping[int, float] = dataclasses.field(default_factory=dict)
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repetition_penalty: float = 1.0

    def plain(self) -> dict[str, Any]:
        """The fields that a model takes which writes one answer at a time."""
        names = ("max_tokens", "temperature", "top_p", "top_k", "seed", "tools", "response_format")
        return {name: getattr(self, name) for name in names} | {"stop": list(self.stop)}

    @property
    def weighed(self) -> bool:
        """Whether scores change with what was written: such a row goes token by token."""
        penalties = self.frequency_penalty or self.presence_penalty or self.repetition_penalty != 1.0
        return bool(self.logit_bias or penalties)


@dataclasses.dataclass(frozen=True)
class Token:
    """A token and its log probability in nats. `raw` has its bytes, which need not be whole characters."""

    token_id: int
    raw: bytes
    logprob: float


@dataclasses.dataclass(frozen=True)
class Piece:
    """One generated token. `text` is what can be shown by now (it may be held back until a character or a
    possible stop string is complete); `logprob` is in nats, of the model before temperature, limits and
    biases; `top` has the likeliest tokens in its place; `finish_reason` is None until the last piece.
    `cached` is the number of tokens of the prompt that were known from another one."""

    text: str
    token_id: int
    logprob: float
    finish_reason: Literal["stop", "length"] | None = None
    raw: bytes = b""
    top: tuple[Token, ...] = ()
    cached: int = dataclasses.field(default=0, compare=False)  # no part of what is said


Said = list[Piece] | BaseException  # nothing at all, the last piece or a fault ends an answer


def cached_of(pieces: Sequence[Piece]) -> int:
    """Tokens of the prompt that were known when this answer was begun."""
    return pieces[0].cached if pieces else 0


def is_last(said: Said) -> bool:
    """Whether an answer ends with this."""
    return isinstance(said, BaseException) or not said or said[-1].finish_reason is not None


def attempt(work: Callable[[], Made]) -> Made | Exception:
    """What the work gives, or its fault: it belongs to those who asked, and whoever else has an answer going
    on in the same thread must not notice it."""
    try:
        return work()
    except Exception as fault:  # noqa: BLE001 - whatever it is, somebody waits to be told
        return fault


MOST_BIAS = 1e9  # far more than any score, and still finite when divided by a small temperature


class Refused(ValueError):
    """Something is asked that this model cannot do; says what."""


def check_bias(bias: Mapping[int, float], vocabulary: int) -> None:
    """Refused for the first token id outside a vocabulary of this size, and for a bias that is no number."""
    for token, value in bias.items():
        if not 0 <= token < vocabulary:
            raise Refused(f"logit_bias names token {token}; the ids of this model are 0 to {vocabulary - 1}")
        if not math.isfinite(value) or abs(value) > MOST_BIAS:
            raise Refused(f"logit_bias of token {token} is {value}; give a number within ±{MOST_BIAS:.0e}")


class PromptTooLong(Refused):
    """The prompt leaves no room for an answer. Says how long it is and how long it may be."""

    def __init__(self, prompt: int, context: int) -> None:
        super().__init__(
            f"the prompt has {prompt} tokens; this model's context holds {context}, answer included"
        )
