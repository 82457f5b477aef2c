"""Text completions: prompts continued as they are, whole or streamed (fireworks-api.md, 7.1)."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from pydantic import Field, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from localfireworks.addressing import target_of
from localfireworks.answering import Batching, Generator
from localfireworks.chat import read_body, refuse_suspended
from localfireworks.chat_fields import Sampled, check_bias, room
from localfireworks.engine.asking import TOP, Asked, Piece, cached_of
from localfireworks.errors import InferenceError
from localfireworks.logprobs import old_logprobs, shown
from localfireworks.merging import merged
from localfireworks.models import Servable
from localfireworks.names import new_id
from localfireworks.service import Service, service_of
from localfireworks.stream_faults import unbroken
from localfireworks.usage import record_tokens
from localfireworks.watch import Watch

DEFAULT_MAX_TOKENS = 16
MOST_PROMPTS = 128
Ids = list[int]


class CompletionRequest(Sampled):
    """The body of a text completion."""

    prompt: str | Ids | list[str] | list[Ids]
    logprobs: int | None = Field(None, ge=0, le=TOP)
    echo: bool = False
    suffix: str | None = None

    @field_validator("logprobs", mode="before")
    @classmethod
    def _old_style(cls, value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value

    @property
    def prompts(self) -> list[str | Ids]:
        """Every prompt, as text or as ids; 400 for none."""
        listed: list[Any] = [self.prompt] if isinstance(self.prompt, str) else list(self.prompt)
        given: list[str | Ids] = [listed] if listed and isinstance(listed[0], int) else listed
        if not given or not all(given) or len(given) > MOST_PROMPTS:
            raise _refused(f"prompt takes 1 to {MOST_PROMPTS} texts that are not empty", "prompt")
        return given


def _refused(message: str, field: str) -> InferenceError:
    return InferenceError(400, "INVALID_ARGUMENT", message, field)


@dataclass(frozen=True)
class Prompt:
    """A prompt as it was measured: its pieces are there when it is echoed with log probabilities."""

    text: str
    ids: tuple[int, ...] | None
    length: int
    most: int
    echoed: list[Piece]


def measure(model: Generator, request: CompletionRequest, given: str | Ids) -> Prompt:
    """Length and room of one prompt; the last tokens are kept when it is to be cut."""
    if not isinstance(model, Batching):
        if not isinstance(given, str):
            raise _refused("this model takes no token ids", "prompt")
        length = model.count_prompt_tokens([{"role": "user", "content": given}], None)
        return Prompt(given, None, length, room(model, request, length, DEFAULT_MAX_TOKENS, "prompt"), [])
    check_bias(model, request)
    ids = model.encode(given) if isinstance(given, str) else tuple(given)
    if request.prompt_truncate_len:
        ids = ids[-request.prompt_truncate_len :]
    most = room(model, request, len(ids), DEFAULT_MAX_TOKENS, "prompt")
    try:
        if min(ids, default=0) < 0:
            raise IndexError
        text = b"".join(model.spell(each) for each in ids).decode(errors="replace")
    except IndexError:
        raise _refused("a token id of the prompt is not in the vocabulary of the model", "prompt") from None
    return Prompt(text, ids, len(ids), most, _echoed(model, request, ids))


def _echoed(model: Batching, request: CompletionRequest, ids: tuple[int, ...]) -> list[Piece]:
    if not request.echo or request.logprobs is None:
        return []
    told = [(math.nan, ()), *model.prompt_chances(ids)]
    return [
        Piece(
            shown(model.spell(token)), token, chance, None, model.spell(token), tuple(top[: request.logprobs])
        )
        for token, (chance, top) in zip(ids, told, strict=True)
    ]


@dataclass
class Choice:
    """One continuation as it grows."""

    index: int
    prompt: Prompt
    request: CompletionRequest
    pieces: list[Piece] = field(default_factory=list)

    def body(self) -> dict[str, Any]:
        echo = self.prompt.text if self.request.echo else ""
        made: dict[str, Any] = {
            "index": self.index,
            "text": echo + "".join(piece.text for piece in self.pieces),
            "finish_reason": self.pieces[-1].finish_reason or "stop" if self.pieces else "stop",
            "logprobs": None,
        }
        if self.request.logprobs is not None:
            made["logprobs"] = old_logprobs([*self.prompt.echoed, *self.pieces])
        if self.request.return_token_ids:
            made["token_ids"] = [piece.token_id for piece in self.pieces]
        return made


@dataclass(frozen=True)
class Job:
    """A settled request."""

    request: CompletionRequest
    target: Servable
    choices: list[Choice]
    seed: int
    id: str
    created: int
    watch: Watch

    @property
    def prompt_tokens(self) -> int:
        return sum(choice.prompt.length for choice in self.choices[:: self.request.n])

    @property
    def cached(self) -> int:
        """Tokens of the prompts that needed no reading."""
        return sum(cached_of(choice.pieces) for choice in self.choices[:: self.request.n])

    def usage(self) -> dict[str, Any]:
        generated = sum(len(choice.pieces) for choice in self.choices)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": generated,
            "total_tokens": self.prompt_tokens + generated,
            "prompt_tokens_details": {"cached_tokens": self.cached},
        }

    def asked(self, choice: Choice) -> Asked:
        made = self.request.asked(choice.prompt.most, self.seed + choice.index)
        messages = [{"role": "user", "content": choice.prompt.text}]
        return replace(
            made, messages=messages, prompt=choice.prompt.ids, top_logprobs=self.request.logprobs or 0
        )

    def head(self) -> dict[str, Any]:
        named = {"id": self.id, "object": "text_completion"}
        return named | {"created": self.created, "model": self.request.model}


async def prepare(service: Service, request: Request) -> Job:
    """Read, check, address and measure; everything that can be refused is refused here."""
    watch = Watch()
    asked = CompletionRequest.model_validate(await read_body(request))
    await asyncio.to_thread(asked.check)
    _ = asked.stops
    if asked.suffix:
        raise _refused("suffix is not supported: these models only continue a prompt", "suffix")
    given = asked.prompts
    refuse_suspended(service)
    target = target_of(service, asked.model, request.headers.get("fireworks-deployment"))
    prompts = await service.backend.call(
        target.key, lambda model: [measure(model, asked, each) for each in given]
    )
    choices = [
        Choice(number * asked.n + index, prompt, asked)
        for number, prompt in enumerate(prompts)
        for index in range(asked.n)
    ]
    seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
    return Job(asked, target, choices, seed, f"cmpl-{new_id()}", int(service.clock()), watch)


async def written(service: Service, job: Job) -> AsyncGenerator[tuple[Choice, Piece], None]:
    """The pieces of all choices as they come."""
    streams = [service.backend.stream(job.target.key, job.asked(choice)) for choice in job.choices]
    async with aclosing(merged(streams)) as pieces:
        async for index, piece in pieces:
            job.watch.first()
            job.choices[index].pieces.append(piece)
            yield job.choices[index], piece
    written = job.usage()["completion_tokens"]
    record_tokens(service, job.target, job.prompt_tokens, written, cached=job.cached)


def _metrics(job: Job) -> dict[str, Any]:
    if not job.request.perf_metrics_in_response:
        return {}
    return {"perf_metrics": job.watch.metrics(job.prompt_tokens, job.cached)}


async def whole(service: Service, job: Job) -> Response:
    async for _ in written(service, job):
        pass
    body = job.head() | {"choices": [choice.body() for choice in job.choices], "usage": job.usage()}
    return JSONResponse(body | _metrics(job), headers=job.watch.headers(job.prompt_tokens, job.cached))


async def events(service: Service, job: Job) -> AsyncGenerator[bytes, None]:
    """Server-sent events: the choices as they are written, usage on the last chunk, then `[DONE]`."""
    if job.request.echo:
        for choice in job.choices:
            told = old_logprobs(choice.prompt.echoed) if job.request.logprobs is not None else None
            yield _event(job, choice, choice.prompt.text, None, told)
    unfinished = len(job.choices)
    async with aclosing(written(service, job)) as pieces:
        async for choice, piece in pieces:
            told = old_logprobs([piece]) if job.request.logprobs is not None else None
            unfinished -= piece.finish_reason is not None
            ending = {} if unfinished else {"usage": job.usage()} | _metrics(job)
            if piece.text or told or piece.finish_reason:
                yield _event(job, choice, piece.text, piece.finish_reason, told, ending)
    yield b"data: [DONE]\n\n"


def _event(
    job: Job,
    choice: Choice,
    text: str,
    reason: str | None,
    told: dict[str, Any] | None,
    more: dict[str, Any] | None = None,
) -> bytes:
    made = {"index": choice.index, "text": text, "finish_reason": reason, "logprobs": told}
    return b"data: " + orjson.dumps(job.head() | {"choices": [made]} | (more or {})) + b"\n\n"


async def completions(request: Request) -> Response:
    service = service_of(request)
    job = await prepare(service, request)
    if not job.request.stream:
        return await whole(service, job)
    headers = job.watch.opening(job.prompt_tokens)
    return StreamingResponse(unbroken(events(service, job)), media_type="text/event-stream", headers=headers)


routes = [Route(f"{prefix}/v1/completions", completions, methods=["POST"]) for prefix in ("/inference", "")]
