"""Streamed completions through the SDK: strictly parsed chunks that add up to the whole answer."""

from __future__ import annotations

from typing import Any

import pytest
from fireworks import AsyncFireworks, Fireworks

from tests.integration.sdk.conftest import ONE_LOOP
from tests.integration.sdk.world import SERVERLESS

ASKED: dict[str, Any] = {
    "model": SERVERLESS,
    "messages": [{"role": "user", "content": "Say something about a red house."}],
    "max_tokens": 12,
    "temperature": 0.7,
    "seed": 11,
}


@pytest.fixture(scope="module")
def whole(sdk: Fireworks) -> Any:
    return sdk.chat.completions.create(**ASKED, n=2)


def test_chunks_add_up_to_the_whole_answer(sdk: Fireworks, whole: Any):
    chunks = list(sdk.chat.completions.create(**ASKED, n=2, stream=True))
    for choice in whole.choices:
        parts = [one for chunk in chunks for one in chunk.choices if one.index == choice.index]
        assert parts[0].delta.role == "assistant"
        assert "".join(one.delta.content or "" for one in parts) == choice.message.content
        assert [one.finish_reason for one in parts if one.finish_reason] == [choice.finish_reason]
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].usage == whole.usage


def test_plain_completions_stream_too(sdk: Fireworks):
    asked = {"model": SERVERLESS, "prompt": "A red house", "max_tokens": 8, "temperature": 0}
    whole = sdk.completions.create(**asked)
    chunks = list(sdk.completions.create(**asked, stream=True))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.text for choice in choices) == whole.choices[0].text
    assert [one.finish_reason for one in choices if one.finish_reason] == [whole.choices[0].finish_reason]
    assert chunks[-1].usage == whole.usage


@ONE_LOOP
async def test_the_other_client_streams_too(asynchronous: AsyncFireworks, whole: Any):
    stream = await asynchronous.chat.completions.create(**ASKED, stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == whole.choices[0].message.content


def test_the_raw_stream_is_server_sent_events(sdk: Fireworks):
    with sdk.chat.completions.with_streaming_response.create(**ASKED, stream=True) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    assert all(line.startswith("data: {") for line in lines[:-1])
    assert lines[-1] == "data: [DONE]"


def test_a_stream_that_is_left_early_leaves_the_server_well(sdk: Fireworks, whole: Any):
    with sdk.chat.completions.create(**ASKED, stream=True) as stream:
        next(iter(stream))
    again = sdk.chat.completions.create(**ASKED, n=2)
    assert [one.message for one in again.choices] == [one.message for one in whole.choices]
