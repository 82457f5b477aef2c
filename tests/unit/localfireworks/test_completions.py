"""Text completions: prompts of every form, choices, streams, echoes, refusals."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.localfireworks.conftest import SERVERLESS, Server

PATHS = ("/inference/v1/completions", "/v1/completions")


async def ask(server: Server, prompt: Any = "one two", path: str = PATHS[0], **more: Any) -> httpx.Response:
    return await server.http.post(path, json={"model": SERVERLESS, "prompt": prompt} | more)


@pytest.mark.parametrize("path", PATHS)
async def test_a_prompt_is_continued(server: Server, path: str) -> None:
    answer = (await ask(server, path=path)).json()
    assert (answer["object"], answer["model"]) == ("text_completion", SERVERLESS)
    assert answer["choices"] == [
        {"index": 0, "text": "medium one two ", "finish_reason": "stop", "logprobs": None}
    ]
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (2, 3)


async def test_prompts_and_choices_are_numbered_together(server: Server) -> None:
    answer = (await ask(server, ["a", "b c"], n=2, seed=5)).json()
    texts = [(choice["index"], choice["text"]) for choice in answer["choices"]]
    assert texts == [(0, "medium a "), (1, "medium a "), (2, "medium b c "), (3, "medium b c ")]
    assert answer["usage"]["prompt_tokens"] == 3
    assert sorted(call["seed"] for call in server.engine.loaded[0].calls) == [5, 6, 7, 8]


async def test_the_prompt_is_echoed_and_tokens_are_told_in_columns(server: Server) -> None:
    choice = (await ask(server, echo=True, logprobs=0)).json()["choices"][0]
    assert choice["text"] == "one twomedium one two "
    assert choice["logprobs"]["tokens"] == ["medium ", "one ", "two "]
    assert choice["logprobs"]["text_offset"] == [0, 7, 11]
    assert choice["logprobs"]["token_logprobs"] == [-0.5] * 3


async def test_a_stream_ends_with_usage_and_done(server: Server) -> None:
    response = await ask(server, ["x", "y"], stream=True, echo=True)
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    parts = [chunk["choices"][0] for chunk in chunks]
    assert "".join(part["text"] for part in parts if part["index"] == 1) == "ymedium y "
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks if "usage" in chunk] == [4]


async def test_answers_say_how_long_they_took(server: Server) -> None:
    response = await ask(server, perf_metrics_in_response=True)
    assert response.headers["fireworks-prompt-tokens"] == "2"
    assert response.headers["fireworks-cached-prompt-tokens"] == "0"
    first, whole = (
        float(response.headers[f"fireworks-server-{name}"])
        for name in ("time-to-first-token", "processing-time")
    )
    assert 0 <= first <= whole
    assert len(response.headers["x-request-id"]) == 32
    assert response.json()["perf_metrics"]["prompt-tokens"] == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"suffix": "end"}, "suffix"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": [1, 2]}, "token ids"),
        ({"logprobs": 6}, "logprobs"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"prompt": "word " * 50}, "context length"),
    ],
)
async def test_bad_values_are_named(server: Server, change: dict[str, Any], words: str) -> None:
    response = await ask(server, **change)
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


async def test_an_unknown_model_and_a_broken_body_are_refused(server: Server) -> None:
    assert (await ask(server, model="none")).status_code == 404
    assert (await server.http.post(PATHS[0], content=b"{")).status_code == 400
