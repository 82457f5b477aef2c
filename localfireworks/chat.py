"""Chat completions, whole or streamed, and the list of served models (fireworks-api.md, 7.1)."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from localfireworks.addressing import target_of
from localfireworks.backend import Generator, Key, Piece
from localfireworks.catalogue import CATALOGUE
from localfireworks.chat_fields import ChatRequest, settle
from localfireworks.errors import InferenceError
from localfireworks.models import Servable
from localfireworks.names import new_id
from localfireworks.service import Service, ok, service_of
from localfireworks.usage import record_tokens


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

    def body(self, *, logprobs: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "index": self.index,
            "message": {"role": "assistant", "content": self.text},
            "finish_reason": self.finish_reason or "stop",
            "logprobs": None,
        }
        return shown | ({"logprobs": {"content": logprob_items(self.pieces)}} if logprobs else {})


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

    def work(self, index: int, generator: Generator) -> Iterator[Piece]:
        """Generate choice `index`; each choice has a seed of its own."""
        request = self.request
        return generator.generate(
            self.messages,
            max_tokens=self.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            top_k=request.top_k or 0,
            seed=self.seed + index,
            stop=request.stops,
            tools=request.tools,
        )

    def usage(self, choices: list[Choice]) -> dict[str, Any]:
        generated = sum(len(choice.pieces) for choice in choices)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": generated,
            "total_tokens": self.prompt_tokens + generated,
            "prompt_tokens_details": {"cached_tokens": 0},
        }

    def head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.request.model}


def logprob_items(pieces: list[Piece]) -> list[dict[str, Any]]:
    """Log-probabilities as OpenAI's newer form has them."""
    items, offset = [], 0
    for piece in pieces:
        items.append(
            {
                "token": piece.text,
                "logprob": piece.logprob,
                "bytes": list(piece.text.encode()),
                "token_id": piece.token_id,
                "text_offset": offset,
                "top_logprobs": [],
            }
        )
        offset += len(piece.text)
    return items


async def read_chat(request: Request) -> ChatRequest:
    try:
        value = json.loads(await request.body())
    except ValueError as error:
        raise InferenceError(400, "INVALID_ARGUMENT", f"the body is not JSON: {error}") from error
    return ChatRequest.model_validate(value)


async def prepare(service: Service, request: Request) -> Job:
    """Read, check, address and measure; everything that can be refused is refused here."""
    chat = await read_chat(request)
    chat.check()
    _ = chat.stops
    if (suspended := service.store.fact("suspend-state") or "UNSUSPENDED") != "UNSUSPENDED":
        raise InferenceError(
            412, "PRECONDITION_FAILED", f"Account {service.account} is suspended: {suspended}"
        )
    target = target_of(service, chat.model, request.headers.get("fireworks-deployment"))
    messages, prompt, most = await service.backend.call(target.key, lambda model: settle(model, chat))
    seed = secrets.randbelow(2**31) if chat.seed is None else chat.seed
    id_, created = f"chatcmpl-{new_id()}", int(service.clock())
    return Job(chat, target.key, messages, prompt, most, seed, id_, created, target)


async def pieces_of(service: Service, job: Job, index: int) -> AsyncIterator[Piece]:
    async for piece in service.backend.stream(job.key, lambda model: job.work(index, model)):
        yield piece


def record(service: Service, job: Job, choices: list[Choice]) -> None:
    """For the bill."""
    if job.target is not None:
        generated = sum(len(choice.pieces) for choice in choices)
        record_tokens(service, job.target, job.prompt_tokens, generated)


async def whole(service: Service, job: Job) -> Response:
    choices = []
    for index in range(job.request.n):
        choice = Choice(index)
        async for piece in pieces_of(service, job, index):
            choice.pieces.append(piece)
        choices.append(choice)
    record(service, job, choices)
    logprobs = bool(job.request.logprobs)
    body = job.head("chat.completion") | {
        "choices": [choice.body(logprobs=logprobs) for choice in choices],
        "usage": job.usage(choices),
    }
    return JSONResponse(body, headers={"fireworks-prompt-tokens": str(job.prompt_tokens)})


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"


def _chunk(
    job: Job, index: int, delta: dict[str, Any], reason: str | None, piece: Piece | None
) -> dict[str, Any]:
    shown: dict[str, Any] = {"index": index, "delta": delta, "finish_reason": reason}
    if piece is not None and job.request.logprobs:
        shown["logprobs"] = {"content": logprob_items([piece])}
    return job.head("chat.completion.chunk") | {"choices": [shown]}


async def events(service: Service, job: Job) -> AsyncIterator[bytes]:
    """Server-sent events: chunks, usage on the last of them, then `[DONE]`."""
    choices = [Choice(index) for index in range(job.request.n)]
    for choice in choices:
        yield _event(_chunk(job, choice.index, {"role": "assistant"}, None, None))
        async for piece in pieces_of(service, job, choice.index):
            choice.pieces.append(piece)
            if piece.text:
                yield _event(_chunk(job, choice.index, {"content": piece.text}, None, piece))
        last = _chunk(job, choice.index, {}, choice.finish_reason or "stop", None)
        yield _event(last | ({"usage": job.usage(choices)} if choice is choices[-1] else {}))
    record(service, job, choices)
    yield b"data: [DONE]\n\n"


async def chat_completions(request: Request) -> Response:
    service = service_of(request)
    job = await prepare(service, request)
    if job.request.stream:
        return StreamingResponse(events(service, job), media_type="text/event-stream")
    return await whole(service, job)


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
