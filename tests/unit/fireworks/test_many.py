"""Many completions at once: really at once, bounded, and one failure is one outcome."""

from __future__ import annotations

import json
import threading

import httpx
import pytest

from workflows.fireworks import errors, inference
from workflows.fireworks.client import Fireworks
from workflows.fireworks.many import complete_many
from workflows.fireworks.retrying import NO_RETRIES

FORMS = inference.addresses("m")


def question(text):
    return str(text), inference.chat_body([{"role": "user", "content": str(text)}], max_tokens=4)


def answered(request):
    text = json.loads(request.content)["messages"][0]["content"]
    return {"model": "m", "choices": [{"message": {"content": f"re {text}"}, "finish_reason": "stop"}]}


def client(handle):
    return Fireworks(
        "https://api.example.test",
        "fw_key",
        "acme",
        transport=httpx.MockTransport(handle),
        retries=NO_RETRIES,
        asks=lambda model: True,
    )


def test_as_many_as_allowed_are_under_way_together():
    together = threading.Barrier(4, timeout=120)  # breaks, and fails the test, when one waits alone

    def handle(request):
        together.wait()
        return httpx.Response(200, json=answered(request))

    outcomes = dict(complete_many(client(handle), map(question, range(8)), FORMS, at_once=4))
    assert {key: outcome.text for key, outcome in outcomes.items()} == {str(n): f"re {n}" for n in range(8)}


def test_no_more_than_allowed_are_taken_before_the_caller_comes_back():
    taken = []

    def endless():
        for number in range(10_000):
            taken.append(number)
            yield question(number)

    answers = complete_many(
        client(lambda request: httpx.Response(200, json=answered(request))), endless(), FORMS, 3
    )
    assert [next(answers)[1].text[:3] for _ in range(5)] == ["re "] * 5
    answers.close()
    assert 5 < len(taken) <= 7


def test_a_failure_is_the_outcome_of_its_own_question():
    def handle(request):
        if b"odd" in request.content:
            return httpx.Response(400, json={"error": {"code": "BAD", "message": "too odd"}})
        return httpx.Response(200, json=answered(request))

    outcomes = dict(complete_many(client(handle), map(question, ["odd", "even"]), FORMS))
    assert outcomes["even"].text == "re even"
    assert isinstance(outcomes["odd"], errors.Permanent)
    assert outcomes["odd"].provider_message == "too odd"


def test_a_fault_of_ours_is_raised():
    with pytest.raises(TypeError):
        list(complete_many(client(answered), [("a", {"messages": {1, 2}})], FORMS))


def test_nothing_asked_is_nothing_answered(remote):
    assert list(complete_many(remote.client(), [], FORMS)) == []
    assert remote.requests == []
