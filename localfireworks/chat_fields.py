"""The fields of completions (fireworks-api.md, 7.1) and how their lengths are settled."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from localfireworks.answering import Batching, Checking, Generator
from localfireworks.engine.asking import TOP, Asked, Refused
from localfireworks.engine.constrain import BadFormat, check_format
from localfireworks.errors import InferenceError

DEFAULT_MAX_TOKENS = 2048
MOST_STOPS = 4


class ChatMessage(BaseModel):
    """One message, kept as given for the chat template."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    weight: float | None = None

    @field_validator("content")
    @classmethod
    def _text_only(cls, content: Any) -> Any:
        for part in content if isinstance(content, list) else ():
            if part.get("type", "text") != "text":
                raise ValueError(f"the stand-ins take text only, not a part of type {part['type']!r}")
            if not isinstance(part.get("text"), str):
                raise ValueError('a part is {"type": "text", "text": "…"}')
        return content


class Sampled(BaseModel):
    """What chat and text completions have in common. Fields without an effect here are dropped (see
    docs/local-fireworks.md)."""

    model_config = ConfigDict(extra="ignore")

    model: str
    max_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, ge=0, le=1)
    top_k: int | None = Field(None, ge=0, le=100)
    min_p: float = Field(0.0, ge=0, le=1)
    frequency_penalty: float = Field(0.0, ge=-2, le=2)
    presence_penalty: float = Field(0.0, ge=-2, le=2)
    repetition_penalty: float = Field(1.0, gt=0, le=2)
    logit_bias: dict[int, float] | None = None
    n: int = Field(1, ge=1, le=128)
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool = False
    response_format: dict[str, Any] | None = None
    context_length_exceeded_behavior: Literal["truncate", "error"] = "truncate"
    prompt_truncate_len: int | None = Field(None, ge=1)
    return_token_ids: bool = False
    perf_metrics_in_response: bool = False

    @property
    def stops(self) -> list[str]:
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        if len(stops) > MOST_STOPS:
            raise InferenceError(400, "INVALID_ARGUMENT", f"stop takes at most {MOST_STOPS} texts", "stop")
        return [text for text in stops if text]

    @property
    def wanted_tokens(self) -> int | None:
        return self.max_tokens

    def asked(self, max_tokens: int, seed: int) -> Asked:
        """What the model is asked, but for the prompt."""
        return Asked(
            max_tokens=max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k or 0,
            min_p=self.min_p,
            seed=seed,
            stop=tuple(self.stops),
            response_format=self.response_format,
            logit_bias=self.logit_bias or {},
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
            repetition_penalty=self.repetition_penalty,
        )

    def check(self) -> None:
        """Refuse what would otherwise be dropped in silence."""
        try:
            check_format(self.response_format)
        except BadFormat as error:
            raise InferenceError(400, "INVALID_ARGUMENT", str(error), "response_format") from error


class ChatRequest(Sampled):
    """The body of a chat completion."""

    messages: list[ChatMessage] = Field(min_length=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    logprobs: bool | int | None = Field(None, ge=0, le=TOP)
    top_logprobs: int | None = Field(None, ge=0, le=TOP)
    tools: list[dict[str, Any]] | None = None
    reasoning_effort: str | int | bool | None = None

    @property
    def wanted_tokens(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def told_tokens(self) -> int:
        """Alternatives told with each token: `top_logprobs`, or the number that `logprobs` is in the old
        style."""
        if not self.logprobs:
            return 0
        old = 0 if isinstance(self.logprobs, bool) else self.logprobs
        return min(self.top_logprobs or old, TOP)

    @property
    def thinking(self) -> bool:
        """Whether a chat template that knows thoughts should leave room for them."""
        return self.reasoning_effort not in ("none", False, 0, "0")

    def conversation(self) -> list[dict[str, Any]]:
        return [message.model_dump(exclude_none=True) for message in self.messages]


def length_of(generator: Generator, messages: list[dict[str, Any]], request: ChatRequest) -> int:
    """Tokens of the prompt."""
    if isinstance(generator, Batching):
        return len(generator.prompt(messages, request.tools, thinking=request.thinking))
    return generator.count_prompt_tokens(messages, request.tools)


def cut_prompt(
    generator: Generator, messages: list[dict[str, Any]], request: ChatRequest, most: int
) -> list[dict[str, Any]]:
    """Drop the oldest messages (not a leading system message) until the prompt has at most `most` tokens."""
    kept = list(messages)
    first = 1 if kept[0]["role"] == "system" else 0
    while len(kept) > first + 1 and length_of(generator, kept, request) > most:
        del kept[first]
    return kept


def settle(generator: Generator, request: ChatRequest) -> tuple[list[dict[str, Any]], int, int]:
    """Messages, prompt tokens and the most tokens to generate; 400 when they cannot fit the window."""
    check_bias(generator, request)
    messages = request.conversation()
    try:
        if request.prompt_truncate_len:
            messages = cut_prompt(generator, messages, request, request.prompt_truncate_len)
        prompt = length_of(generator, messages, request)
    except ValueError as error:  # the model's own template refuses the messages
        raise InferenceError(400, "INVALID_ARGUMENT", str(error), "messages") from error
    return messages, prompt, room(generator, request, prompt, DEFAULT_MAX_TOKENS, "messages")


def check_bias(generator: Generator, request: Sampled) -> None:
    """400 for a `logit_bias` that this model cannot weigh."""
    try:
        if isinstance(generator, Checking):
            generator.check(request.logit_bias or {})
    except Refused as error:
        raise InferenceError(400, "INVALID_ARGUMENT", str(error), "logit_bias") from error


def room(generator: Generator, request: Sampled, prompt: int, usual: int, field: str) -> int:
    """The most tokens to generate after a prompt of so many; 400 when it cannot be."""
    window, wanted = generator.context_length, request.wanted_tokens or usual
    strict = request.context_length_exceeded_behavior == "error" and request.wanted_tokens is not None
    if prompt >= window or (strict and prompt + wanted > window):
        message = (
            f"The prompt is {prompt} tokens and max_tokens {wanted}, above the context length of {window}"
        )
        raise InferenceError(400, "INVALID_ARGUMENT", message, field)
    return min(wanted, window - prompt)
