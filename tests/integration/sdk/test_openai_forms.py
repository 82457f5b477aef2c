"""Answers in a given form, and plain completions, through the `openai` SDK."""

from __future__ import annotations

from typing import Literal

from openai import OpenAI
from pydantic import BaseModel

from tests.integration.sdk.conftest import KEY
from tests.integration.sdk.test_openai import ASKED
from tests.integration.sdk.world import SERVERLESS

PLAIN = {"model": SERVERLESS, "prompt": "The sky is", "max_tokens": 6, "temperature": 0}


def test_plain_completions(openai_client: OpenAI):
    answer = openai_client.completions.create(**PLAIN)
    assert answer.object == "text_completion"
    assert answer.usage.completion_tokens <= 6
    assert answer.choices[0].finish_reason in ("stop", "length")


def test_plain_completions_are_streamed(address: str, openai_client: OpenAI):
    whole = openai_client.completions.create(**PLAIN)
    # Not strict: this SDK's type wants a finish reason on every chunk, which no server sends.
    with OpenAI(api_key=KEY, base_url=f"{address}/inference/v1") as lenient:
        chunks = list(lenient.completions.create(**PLAIN, stream=True))
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert text == whole.choices[0].text


class Verdict(BaseModel):
    colour: Literal["red", "blue"]
    sure: bool


def test_an_answer_under_a_schema_is_read_as_its_model(openai_client: OpenAI):
    answer = openai_client.chat.completions.parse(**{**ASKED, "max_tokens": 40}, response_format=Verdict)
    assert answer.choices[0].finish_reason == "stop"
    assert isinstance(answer.choices[0].message.parsed, Verdict)
