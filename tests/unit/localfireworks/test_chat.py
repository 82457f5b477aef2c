"""Chat completions: addressing, lengths, choices, streams, refusals."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.localfireworks.conftest import QWEN, SERVERLESS, Server

PATH = "/inference/v1/chat/completions"
DEPLOYMENT = "accounts/rehearsal/deployments/dep"


async def ask(server: Server, text: str = "one two", headers: Any = None, **more: Any) -> httpx.Response:
    body = {"model": SERVERLESS, "messages": [{"role": "user", "content": text}]} | more
    return await server.http.post(PATH, json=body, headers=headers)


async def deploy(server: Server, model: str = QWEN) -> None:
    body = {"baseModel": model, "deploymentShape": "default"}
    await server.post("/deployments", body, deploymentId="dep")
    await server.settled()


async def test_a_serverless_model_answers_without_a_deployment(server: Server) -> None:
    answer = (await ask(server)).json()
    assert (answer["object"], answer["model"]) == ("chat.completion", SERVERLESS)
    choice = answer["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "medium one two "}
    assert choice["finish_reason"] == "stop"
    assert answer["usage"] == {
        "prompt_tokens": 2,
        "completion_tokens": 3,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


async def test_both_prefixes_answer(server: Server) -> None:
    body = {"model": SERVERLESS, "messages": [{"role": "user", "content": "x"}]}
    assert (await server.http.post("/v1/chat/completions", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("model", "headers"),
    [
        (DEPLOYMENT, {}),
        (f"{QWEN}#{DEPLOYMENT}", {}),
        (f"{QWEN}#dep", {}),
        (QWEN, {"fireworks-deployment": DEPLOYMENT}),
        (QWEN, {"fireworks-deployment": "dep"}),
    ],
)
async def test_every_form_of_address_reaches_the_deployment(
    server: Server, model: str, headers: dict[str, str]
) -> None:
    await deploy(server)
    assert (await ask(server, headers=headers, model=model)).status_code == 200


async def test_a_merged_adapter_answers_under_its_own_name(server: Server) -> None:
    name = await server.trained()
    await deploy(server, name)
    answer = await ask(server, model=f"{name}#{DEPLOYMENT}")
    assert answer.json()["choices"][0]["message"]["content"].startswith("small+job-1")
    assert (await ask(server, model=f"{QWEN}#{DEPLOYMENT}")).status_code == 404
    assert (await ask(server, model=name)).status_code == 404


@pytest.mark.parametrize("model", ["none", QWEN, DEPLOYMENT, f"{QWEN}#dep", "accounts/x/models/y"])
async def test_what_is_not_served_is_not_found(server: Server, model: str) -> None:
    response = await ask(server, model=model)
    assert response.status_code == 404
    error = response.json()["error"]
    assert (error["code"], error["param"], error["type"]) == ("NOT_FOUND", "model", "error")


async def test_a_deployment_that_is_created_is_not_served_yet(server: Server) -> None:
    await server.post("/deployments", {"baseModel": QWEN, "deploymentShape": "default"}, deploymentId="dep")
    assert (await ask(server, model=DEPLOYMENT)).status_code == 404


async def test_too_long_an_answer_is_shortened_or_refused(server: Server) -> None:
    text = "word " * 30
    short = await ask(server, text, max_tokens=500)
    assert short.json()["choices"][0]["finish_reason"] == "length"
    assert short.json()["usage"]["completion_tokens"] == 10
    strict = await ask(server, text, max_tokens=500, context_length_exceeded_behavior="error")
    assert (strict.status_code, strict.json()["error"]["param"]) == (400, "messages")
    fits = await ask(server, text, max_tokens=10, context_length_exceeded_behavior="error")
    assert fits.status_code == 200


async def test_a_prompt_longer_than_the_window_is_refused_or_cut_on_request(server: Server) -> None:
    turns = [{"role": "system", "content": "be kind"}]
    turns += [{"role": "user", "content": "word " * 15}] * 4
    assert (await ask(server, messages=turns)).status_code == 400
    cut = await ask(server, messages=turns, prompt_truncate_len=20)
    assert cut.json()["usage"]["prompt_tokens"] == 17


async def test_n_choices_have_seeds_of_their_own(server: Server) -> None:
    answer = (await ask(server, n=3, seed=5, temperature=0.7, top_p=0.9, top_k=20, stop=["x"])).json()
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    calls = server.engine.loaded[0].calls
    assert [call["seed"] for call in calls] == [5, 6, 7]
    assert calls[0] | {"seed": 0, "max_tokens": 0} == {
        "max_tokens": 0,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 20,
        "seed": 0,
        "stop": ["x"],
        "tools": None,
        "response_format": None,
    }


async def test_tools_are_part_of_the_prompt(server: Server) -> None:
    answer = (await ask(server, tools=[{"type": "function", "function": {"name": "f"}}])).json()
    assert answer["usage"]["prompt_tokens"] == 3
    assert server.engine.loaded[0].calls[0]["tools"][0]["function"] == {"name": "f"}


async def test_logprobs_come_with_every_token(server: Server) -> None:
    content = (await ask(server, logprobs=True)).json()["choices"][0]["logprobs"]["content"]
    assert [item["token"] for item in content] == ["medium ", "one ", "two "]
    assert [item["text_offset"] for item in content] == [0, 7, 11]
    assert (content[0]["logprob"], content[0]["token_id"]) == (-0.5, 7)


async def test_a_stream_carries_the_text_the_reason_the_usage_and_done(server: Server) -> None:
    response = await ask(server, stream=True, n=2)
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    text = "".join(
        c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"][0]["index"] == 1
    )
    assert text == "medium one two "
    assert [c["usage"]["completion_tokens"] for c in chunks if "usage" in c] == [6]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert len({chunk["id"] for chunk in chunks}) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"messages": []}, "messages"),
        ({"temperature": 3}, "temperature"),
        ({"n": 0}, "n:"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"response_format": {"type": "xml"}}, "response_format.type 'xml'"),
        ({"response_format": {"type": "json_schema"}}, "needs a JSON schema"),
        ({"response_format": {"type": "json_schema", "schema": {"type": "strin"}}}, "strin"),
        ({"response_format": {"type": "grammar", "grammar": "root ::= other"}}, "other"),
        ({"top_logprobs": 6}, "top_logprobs"),
        ({"min_p": 2}, "min_p"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"context_length_exceeded_behavior": "shrug"}, "context_length_exceeded_behavior"),
    ],
)
async def test_bad_values_are_named(server: Server, change: dict[str, Any], words: str) -> None:
    response = await ask(server, **change)
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


async def test_fields_without_an_effect_are_taken(server: Server) -> None:
    more = {
        "reasoning_effort": "none",
        "prompt_cache_key": "k",
        "unheard_of": [1],
        "response_format": {"type": "text"},
    }
    assert (await ask(server, **more)).status_code == 200


async def test_a_body_that_is_not_json_is_refused(server: Server) -> None:
    response = await server.http.post(PATH, content=b"hello")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_ARGUMENT")


async def test_a_suspended_account_is_told_so(server: Server) -> None:
    server.service.store.keep_fact("suspend-state", "MONTHLY_SPEND_LIMIT_EXCEEDED")
    assert (await ask(server)).status_code == 412
    assert (await server.get(""))["suspendState"] == "MONTHLY_SPEND_LIMIT_EXCEEDED"


async def test_served_models_are_listed(server: Server) -> None:
    await deploy(server)
    listed = (await server.http.get("/inference/v1/models")).json()
    ids = [model["id"] for model in listed["data"]]
    assert (SERVERLESS in ids, DEPLOYMENT in ids, QWEN in ids) == (True, True, False)


async def test_the_least_recently_used_model_is_dropped(server: Server) -> None:
    backend = server.service.backend
    for standin in ("small", "medium", "large", "small"):
        await backend.call((standin, None), lambda model: model.context_length)
    assert [model.standin for model in server.engine.loaded] == ["small", "medium", "large", "small"]


async def test_a_model_that_cannot_be_loaded_says_so(server: Server) -> None:
    load = server.service.backend.load(("broken", None))
    with pytest.raises(ValueError, match="no such weights"):
        load.result(timeout=5)


TEXT = {"role": "user", "content": "x"}
DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PATH, f'{{"model": "{SERVERLESS}", "messages": {DEEP}}}'),
        (PATH, f'{{"model": "{SERVERLESS}", "messages": [{{"role": "user", "content": "\\ud800"}}]}}'),
        (PATH, '{"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": [{"a": "\\udfff"}]}'),
        (PATH, '{"model": "m", "messages": [{"role": "user", "content": "x"}], "logit_bias": {"5": NaN}}'),
        ("/v1/completions", f'{{"model": "{SERVERLESS}", "prompt": {DEEP}}}'),
        ("/v1/completions", f'{{"model": "{SERVERLESS}", "prompt": "\\ud800"}}'),
        ("/v1/completions", ""),
    ],
)
async def test_what_is_no_proper_json_is_refused(server: Server, path: str, body: str) -> None:
    response = await server.http.post(path, content=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "INVALID_ARGUMENT")
    assert error["message"].startswith("the body is not JSON")


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"messages": [TEXT | {"tool_calls": "x"}]}, "messages.0.tool_calls", "list"),
        ({"messages": [TEXT | {"tool_calls": ["x"]}]}, "messages.0.tool_calls.0", "dictionary"),
        ({"messages": [TEXT | {"role": "foo"}]}, "messages.0.role", "'assistant'"),
        ({"messages": [TEXT | {"weight": []}]}, "messages.0.weight", "number"),
        ({"messages": [TEXT | {"content": [{"type": "image_url"}]}]}, "messages.0.content", "text only"),
        ({"messages": [TEXT | {"content": [{"type": "text"}]}]}, "messages.0.content", "a part is"),
        ({"logprobs": -3}, "logprobs", "greater than or equal to 0"),
        ({"logprobs": 6}, "logprobs", "less than or equal to 5"),
    ],
)
async def test_what_a_message_cannot_hold_is_named(
    server: Server, fields: dict[str, Any], param: str, words: str
) -> None:
    response = await ask(server, **fields)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, "INVALID_ARGUMENT", param)
    assert words in error["message"]


async def test_parts_of_text_and_nesting_within_measure_are_taken(server: Server) -> None:
    part = {"type": "text", "text": "one"}
    parameters: Any = {}
    for _ in range(50):
        parameters = {"properties": parameters}
    tools = [{"type": "function", "function": {"parameters": parameters}}]
    assert (await ask(server, messages=[TEXT | {"content": [part, part]}], tools=tools)).status_code == 200
