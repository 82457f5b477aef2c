"""One line of a batch's input dataset: `{custom_id, body}`, asked like a chat completion."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import Any

from pydantic import ValidationError

from localfireworks.batch_files import Answer
from localfireworks.bodies import read_json
from localfireworks.chat import Choice, Job, pieces_of
from localfireworks.chat_fields import ChatRequest, settle
from localfireworks.errors import InferenceError, first_fault
from localfireworks.guard import caught
from localfireworks.models import Servable
from localfireworks.service import Service

log = logging.getLogger("localfireworks")


class BadLine(Exception):
    """A line that is no request; `custom_id` as far as it could be read."""

    def __init__(self, custom_id: str, message: str) -> None:
        super().__init__(message)
        self.custom_id = custom_id


def read_line(number: int, line: bytes) -> tuple[str, dict[str, Any]]:
    """`custom_id` and body; a line without an id is called by its number."""
    unnamed = f"line-{number + 1}"
    try:
        row = read_json(line)
    except ValueError as error:
        raise BadLine(unnamed, f"line {number + 1} is not JSON: {error}") from error
    if not isinstance(row, dict) or row.get("custom_id") in (None, ""):
        raise BadLine(unnamed, f"line {number + 1} has no custom_id")
    custom_id = str(row["custom_id"])
    if not isinstance(row.get("body"), dict):
        raise BadLine(custom_id, "body must be an object with messages")
    return custom_id, row["body"]


def failed(number: int, custom_id: str, code: str, message: str) -> Answer:
    error = {"message": message, "code": code, "type": "error"}
    return Answer(number, ok=False, line={"custom_id": custom_id, "error": error})


def seed_of(job: str, custom_id: str) -> int:
    """For a request without a seed: its own, the same when it is asked again after a restart."""
    return int.from_bytes(hashlib.sha256(f"{job}/{custom_id}".encode()).digest()[:4]) >> 1


async def answer_line(
    service: Service, target: Servable, defaults: dict[str, Any], number: int, line: bytes, job: str
) -> Answer:
    """Ask for one line; what is wrong with it becomes a line of the error file."""
    try:
        custom_id, body = read_line(number, line)
    except BadLine as error:
        return failed(number, error.custom_id, "INVALID_ARGUMENT", str(error))
    with caught() as outcome:
        return await _asked(service, target, defaults | body, number, custom_id, job)
    # a fault of ours: it costs this line, not the others
    log.error("Line %d of %s broke off", number + 1, job, exc_info=outcome.fault)
    return failed(number, custom_id, "INTERNAL", f"Internal error: {type(outcome.fault).__name__}")


async def _asked(
    service: Service, target: Servable, body: dict[str, Any], number: int, custom_id: str, job: str
) -> Answer:
    try:
        request = ChatRequest.model_validate(body | {"model": target.name, "stream": False})
        return await _ask(service, target, request, number, custom_id, job)
    except InferenceError as error:
        return failed(number, custom_id, error.code, error.message)
    except ValidationError as error:
        return failed(number, custom_id, "INVALID_ARGUMENT", ": ".join(first_fault(error)))
    except ValueError as error:  # the engine cannot do what the line asks for
        return failed(number, custom_id, "INVALID_ARGUMENT", str(error))


async def _ask(
    service: Service, target: Servable, request: ChatRequest, number: int, custom_id: str, job: str
) -> Answer:
    await asyncio.to_thread(request.check)
    _ = request.stops
    messages, prompt, most = await service.backend.call(target.key, lambda model: settle(model, request))
    seed = seed_of(job, custom_id) if request.seed is None else request.seed
    id_ = f"chatcmpl-{hashlib.sha256(f'{job}/{number}'.encode()).hexdigest()[:12]}"
    asked = Job(request, target.key, messages, prompt, most, seed, id_, int(service.clock()))
    choices = await asyncio.gather(*(_fill(service, asked, Choice(index)) for index in range(request.n)))
    logprobs, ids = bool(request.logprobs), request.return_token_ids
    body = asked.head("chat.completion") | {
        "choices": [choice.body(logprobs=logprobs, token_ids=ids) for choice in choices],
        "usage": asked.usage(choices),
    }
    written = sum(len(choice.pieces) for choice in choices)
    line = {"custom_id": custom_id, "response": body}
    return Answer(number, ok=True, line=line, prompt=prompt, completion=written)


async def _fill(service: Service, asked: Job, choice: Choice) -> Choice:
    async for piece in pieces_of(service, asked, choice.index):
        choice.pieces.append(piece)
    return choice
