"""The body of a chat completion (fireworks-api.md, 7.1) and how its lengths are settled."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from localfireworks.backend import Generator
from localfireworks.errors import InferenceError

DEFAULT_MAX_TOKENS = 2048
MOST_STOPS = 4


class ChatMessage(BaseModel):
    """One message, kept as given for the chat template."""

    model_config = ConfigDict(extra="allow")

    role: str
    content: str | list[dict[str, Any]] | None = None


class ChatRequest(BaseModel):
    """Fields with an effect here; the others are taken and have none (see docs/local-fireworks.md)."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, ge=0, le=1)
    top_k: int | None = Field(None, ge=0, le=100)
    n: int = Field(1, ge=1, le=128)
    seed: int | None = None
    stop: str | list[str] | None = None
    logprobs: bool | int | None = None
    stream: bool = False
    tools: list[dict[str, Any]] | None = None
    response_format: dict[str, Any] | None = None
    context_length_exceeded_behavior: Literal["truncate", "error"] = "truncate"
    prompt_truncate_len: int | None = Field(None, ge=1)

    @property
    def stops(self) -> list[str]:
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        if len(stops) > MOST_STOPS:
            raise InferenceError(400, "INVALID_ARGUMENT", f"stop takes at most {MOST_STOPS} texts", "stop")
        return [text for text in stops if text]

    @property
    def wanted_tokens(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    def check(self) -> None:
        """Refuse what would otherwise be dropped in silence."""
        kind = (self.response_format or {}).get("type", "text")
        if kind != "text":
            raise InferenceError(
                400,
                "INVALID_ARGUMENT",
                f"response_format {kind!r} is not supported by the stand-in models",
                "response_format",
            )

    def conversation(self) -> list[dict[str, Any]]:
        return [message.model_dump(exclude_none=True) for message in self.messages]


def cut_prompt(
    generator: Generator, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None, most: int
) -> list[dict[str, Any]]:
    """Drop the oldest messages (not a leading system message) until the prompt has at most `most` tokens."""
    kept = list(messages)
    first = 1 if kept[0]["role"] == "system" else 0
    while len(kept) > first + 1 and generator.count_prompt_tokens(kept, tools) > most:
        del kept[first]
    return kept


def settle(generator: Generator, request: ChatRequest) -> tuple[list[dict[str, Any]], int, int]:
    """Messages, prompt tokens and the most tokens to generate; 400 when they cannot fit the window."""
    messages = request.conversation()
    if request.prompt_truncate_len:
        messages = cut_prompt(generator, messages, request.tools, request.prompt_truncate_len)
    prompt, window = generator.count_prompt_tokens(messages, request.tools), generator.context_length
    wanted = request.wanted_tokens or DEFAULT_MAX_TOKENS
    strict = request.context_length_exceeded_behavior == "error" and request.wanted_tokens is not None
    if prompt >= window or (strict and prompt + wanted > window):
        message = (
            f"The prompt is {prompt} tokens and max_tokens {wanted}, above the context length of {window}"
        )
        raise InferenceError(400, "INVALID_ARGUMENT", message, "messages")
    return messages, prompt, min(wanted, window - prompt)
