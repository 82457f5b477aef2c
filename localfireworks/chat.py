"""Chat completions, whole or streamed, and the list of served models (fireworks-api.md, 7.1)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from localfireworks.addressing import target_of
from localfireworks.backend import Key
from localfireworks.bodies import read_json
from localfireworks.catalogue import CATALOGUE
from localfireworks.chat_fields import ChatRequest, settle
from localfireworks.engine.asking import Asked, Piece, cached_of
from localfireworks.errors import InferenceError
from localfireworks.logprobs import logprob_items
from localfireworks.merging import merged
from localfireworks.models import Servable
from localfireworks.names import new_id
from localfireworks.service import Service, ok, service_of
from localfireworks.stream_faults import unbroken
from localfireworks.usage import record_tokens
from localfireworks.watch import Watch


@dataclass
class Choice:
    """One answer as it grows."""

    index: int
    pieces: list[Piece] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def finish_reason(self) -> str | None:
        return self.pieces[-1].finish_reason if self.pieces else None

    def body(self, *, logprobs: bool, token_ids: bool = False) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "index": self.index,
            "message": {"role": "assistant", "content": self.text},
            "finish_reason": self.finish_reason or "stop",
            "logprobs": None,
        }
        if logprobs:
            shown["logprobs"] = {"content": logprob_items(self.pieces)}
        return shown | ({"token_ids": [piece.token_id for piece in self.pieces]} if token_ids else {})


@dataclass(frozen=True)
class Job:
    """A settled request: what to generate, with which model."""

    request: ChatRequest
    key: Key
    messages: list[dict[str, Any]]
    prompt_tokens: int
    max_tokens: int
    seed: int
    id: str
    created: int
    target: Servable | None = None  # for the bill; None where somebody else writes it

    def asked(self, index: int) -> Asked:
        """Choice `index`; each choice has a seed of its own."""
        made = self.request.asked(self.max_tokens, self.seed + index)
        return replace(
            made,
            messages=self.messages,
            tools=self.request.tools,
            thinking=self.request.thinking,
            top_logprobs=self.request.told_tokens,
        )

    @staticmethod
    def cached(choices: list[Choice]) -> int:
        """Tokens of the prompt that needed no reading; several choices have one prompt."""
        return cached_of(choices[0].pieces)

    def usage(self, choices: list[Choice]) -> dict[str, Any]:
        generated = sum(len(choice.pieces) for choice in choices)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": generated,
            "total_tokens": self.prompt_tokens + generated,
            "prompt_tokens_details": {"cached_tokens": self.cached(choices)},
        }

    def head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.request.model}


async def read_body(request: Request) -> Any:
    try:
        return read_json(await request.body())
    except ValueError as error:
        raise InferenceError(400, "INVALID_ARGUMENT", f"the body is not JSON: {error}") from error


def refuse_suspended(service: Service) -> None:
    if (suspended := service.store.fact("suspend-state") or "UNSUSPENDED") != "UNSUSPENDED":
        raise InferenceError(
            412, "PRECONDITION_FAILED", f"Account {service.account} is suspended: {suspended}"
        )


async def prepare(service: Service, request: Request) -> Job:
    """Read, check, address and measure; everything that can be refused is refused here."""
    chat = ChatRequest.model_validate(await read_body(request))
    await asyncio.to_thread(chat.check)
    _ = chat.stops
    refuse_suspended(service)
    target = target_of(service, chat.model, request.headers.get("fireworks-deployment"))
    messages, prompt, most = await service.backend.call(target.key, lambda model: settle(model, chat))
    seed = secrets.randbelow(2**31) if chat.seed is None else chat.seed
    id_, created = f"chatcmpl-{new_id()}", int(service.clock())
    return Job(chat, target.key, messages, prompt, most, seed, id_, created, target)


async def pieces_of(service: Service, job: Job, index: int) -> AsyncIterator[Piece]:
    async with aclosing(service.backend.stream(job.key, job.asked(index))) as pieces:
        async for piece in pieces:
            yield piece


def record(service: Service, job: Job, choices: list[Choice]) -> None:
    """For the bill."""
    if job.target is not None:
        generated = sum(len(choice.pieces) for choice in choices)
        cached = job.cached(choices)
        record_tokens(service, job.target, job.prompt_tokens, generated, cached=cached)


async def fill(service: Service, job: Job, choice: Choice, watch: Watch) -> Choice:
    async for piece in pieces_of(service, job, choice.index):
        watch.first()
        choice.pieces.append(piece)
    return choice


async def whole(service: Service, job: Job, watch: Watch) -> Response:
    choices = await asyncio.gather(
        *(fill(service, job, Choice(index), watch) for index in range(job.request.n))
    )
    record(service, job, choices)
    logprobs, ids = bool(job.request.logprobs), job.request.return_token_ids
    headers = watch.headers(job.prompt_tokens, job.cached(choices))
    body = job.head("chat.completion") | {
        "choices": [choice.body(logprobs=logprobs, token_ids=ids) for choice in choices],
        "usage": job.usage(choices),
    }
    if job.request.perf_metrics_in_response:
        body["perf_metrics"] = watch.metrics(job.prompt_tokens, job.cached(choices))
    return JSONResponse(body, headers=headers)


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"


def _chunk(
    job: Job, index: int, delta: dict[str, Any], reason: str | None, piece: Piece | None
) -> dict[str, Any]:
    shown: dict[str, Any] = {"index": index, "delta": delta, "finish_reason": reason}
    if piece is not None and job.request.logprobs:
        shown["logprobs"] = {"content": logprob_items([piece])}
    if piece is not None and job.request.return_token_ids:
        shown["token_ids"] = [piece.token_id]
    return job.head("chat.completion.chunk") | {"choices": [shown]}


async def events(service: Service, job: Job, watch: Watch) -> AsyncGenerator[bytes, None]:
    """Server-sent events: the choices as they are written, usage on the last chunk, then `[DONE]`."""
    choices = [Choice(index) for index in range(job.request.n)]
    for choice in choices:
        yield _event(_chunk(job, choice.index, {"role": "assistant"}, None, None))
    streams = [pieces_of(service, job, choice.index) for choice in choices]
    unfinished = len(choices)
    async with aclosing(merged(streams)) as pieces:
        async for index, piece in pieces:
            watch.first()
            choices[index].pieces.append(piece)
            if piece.text or (job.request.logprobs and piece.raw):
                yield _event(_chunk(job, index, {"content": piece.text}, None, piece))
            if piece.finish_reason is not None:
                unfinished -= 1
                last = _chunk(job, index, {}, piece.finish_reason, None)
                yield _event(last | ({} if unfinished else _ending(job, choices, watch)))
    record(service, job, choices)
    yield b"data: [DONE]\n\n"


def _ending(job: Job, choices: list[Choice], watch: Watch) -> dict[str, Any]:
    """What only the last chunk has."""
    usage = {"usage": job.usage(choices)}
    shown = job.request.perf_metrics_in_response
    return usage | ({"perf_metrics": watch.metrics(job.prompt_tokens, job.cached(choices))} if shown else {})


async def chat_completions(request: Request) -> Response:
    service, watch = service_of(request), Watch()
    job = await prepare(service, request)
    if job.request.stream:
        return StreamingResponse(
            unbroken(events(service, job, watch)),
            media_type="text/event-stream",
            headers=watch.opening(job.prompt_tokens),
        )
    return await whole(service, job, watch)


def served_models(service: Service) -> list[str]:
    """Names that can be asked now: serverless models and deployments."""
    serverless = [model.name for model in CATALOGUE.values() if model.price is not None]
    return serverless + [row.name for row in service.store.in_states("deployments", ("READY",))]


async def list_served(request: Request) -> Response:
    service = service_of(request)
    data = [
        {
            "id": name,
            "object": "model",
            "owned_by": name.split("/")[1],
            "created": int(service.clock()),
            "kind": "HF_BASE_MODEL",
            "supports_chat": True,
            "supports_tools": False,
            "supports_image_input": False,
        }
        for name in served_models(service)
    ]
    return ok({"object": "list", "data": data})


routes = [
    Route(f"{prefix}/v1/chat/completions", chat_completions, methods=["POST"])
    for prefix in ("/inference", "")
] + [Route(f"{prefix}/v1/models", list_served) for prefix in ("/inference", "")]
