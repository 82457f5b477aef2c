"""Inference through the `openai` SDK, unmodified and strict."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.integration.sdk.conftest import ONE_LOOP
from tests.integration.sdk.world import SERVERLESS, World

ASKED: dict[str, Any] = {
    "model": SERVERLESS,
    "messages": [{"role": "user", "content": "Which colour is a tomato?"}],
    "max_tokens": 12,
    "temperature": 0.7,
    "seed": 3,
}


def test_a_whole_answer(openai_client: OpenAI):
    answer = openai_client.chat.completions.create(**ASKED, logprobs=True, top_logprobs=2)
    assert answer.model == SERVERLESS
    assert [choice.index for choice in answer.choices] == [0]
    for choice in answer.choices:
        pieces = choice.logprobs.content
        assert "".join(piece.token for piece in pieces).startswith(choice.message.content or "")
        assert all(piece.logprob <= 0 for piece in pieces)
    assert answer.usage.completion_tokens <= 12


def test_a_stream_with_its_usage(openai_client: OpenAI):
    whole = openai_client.chat.completions.create(**ASKED)
    chunks = list(
        openai_client.chat.completions.create(**ASKED, stream=True, stream_options={"include_usage": True})
    )
    parts = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(parts) == whole.choices[0].message.content
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens


@ONE_LOOP
async def test_the_other_client(openai_async: AsyncOpenAI, openai_client: OpenAI):
    whole = openai_client.chat.completions.create(**ASKED)
    assert (await openai_async.chat.completions.create(**ASKED)).choices == whole.choices
    stream = await openai_async.chat.completions.create(**ASKED, stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == whole.choices[0].message.content


def test_what_is_served_is_listed(openai_client: OpenAI, world: World):
    place = world.name("deployments", world.place())
    names = {model.id for model in openai_client.models.list()}
    assert {SERVERLESS, place} <= names


def test_a_deployment_answers_under_its_name(openai_client: OpenAI, world: World):
    place = world.name("deployments", world.place())
    assert openai_client.chat.completions.create(**{**ASKED, "model": place}).choices[0].finish_reason


def test_an_unknown_model_is_told_as_openai_does(openai_client: OpenAI):
    with pytest.raises(openai.NotFoundError) as caught:
        openai_client.chat.completions.create(**{**ASKED, "model": "accounts/fireworks/models/no-such"})
    assert (caught.value.code, caught.value.param) == ("NOT_FOUND", "model")


def test_a_bad_value_is_told_as_openai_does(openai_client: OpenAI):
    with pytest.raises(openai.BadRequestError) as caught:
        openai_client.chat.completions.create(**{**ASKED, "temperature": 9.0})
    assert "temperature" in caught.value.message
