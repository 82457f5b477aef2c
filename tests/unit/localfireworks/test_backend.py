"""Streams of the backend: shared, left early, failing; and models from folders in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localfireworks.catalogue import CATALOGUE, add_folder
from localfireworks.engine.asking import Asked
from tests.unit.localfireworks.conftest import Server

SMALL = ("small", None)


def asked(words: int) -> Asked:
    return Asked([{"role": "user", "content": "word " * words}], max_tokens=1000)


async def test_answers_take_turns(server: Server) -> None:
    backend = server.service.backend
    long, short = backend.stream(SMALL, asked(500)), backend.stream(SMALL, asked(1))
    first = await anext(long)
    assert [piece.text async for piece in short] == ["small ", "word "]
    rest = [piece async for piece in long]
    assert (first.text, len(rest), rest[-1].finish_reason) == ("small ", 500, "stop")


async def test_who_leaves_ends_the_answer(server: Server) -> None:
    backend = server.service.backend
    stream = backend.stream(SMALL, asked(100_000))
    await anext(stream)
    await stream.aclose()
    await backend.call(SMALL, lambda model: None)  # behind the leaving
    written = server.engine.loaded[0].written
    await backend.call(SMALL, lambda model: None)
    assert server.engine.loaded[0].written == written < 100_000


async def test_a_fault_reaches_the_one_who_asked(server: Server) -> None:
    with pytest.raises(ValueError, match="no such weights"):
        await anext(server.service.backend.stream(("broken", None), asked(1)))
    assert [piece.text async for piece in server.service.backend.stream(SMALL, asked(0))] == ["small "]


@pytest.fixture
def folder_model() -> Iterator[str]:
    add_folder("my-qwen3", "/models/my-qwen3", 751_632_384, 4096)
    name = "accounts/fireworks/models/my-qwen3"
    yield name
    del CATALOGUE[name]


async def test_a_model_from_a_folder_is_listed_with_its_own_figures(
    server: Server, folder_model: str
) -> None:
    body: dict[str, Any] = (await server.http.get(f"/v1/{folder_model}")).json()
    assert (body["displayName"], body["contextLength"]) == ("my-qwen3 (local)", 4096)
    assert body["baseModelDetails"]["parameterCount"] == "751632384"
    await server.job("job-1", baseModel=folder_model)
    job = (server.runs.started[-1] / "job.json").read_text()
    assert '"standin": "/models/my-qwen3"' in job
    assert '"compute": "float32"' in job
