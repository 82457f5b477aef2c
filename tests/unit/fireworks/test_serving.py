"""Deployments and chat completions."""

from __future__ import annotations

import httpx
import pytest

from workflows.fireworks import deployments, errors, inference
from workflows.fireworks.curl import curl, of_exchange

BASE = "/v1/accounts/acme/deployments"
MODEL = "accounts/acme/models/tuned"
PLACE = "accounts/acme/deployments/p"
WANTED = deployments.Wanted(base_model=MODEL, display_name="winner")
ANSWER = {
    "model": MODEL,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hi", "reasoning_content": "hm"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
}
CHAT = f"POST {inference.PATH}"


def test_the_deployment_body_scales_to_zero():
    assert deployments.deployment_body(WANTED) == {
        "baseModel": MODEL,
        "minReplicaCount": 0,
        "maxReplicaCount": 1,
        "autoscalingPolicy": {"scaleToZeroWindow": "300s"},
        "displayName": "winner",
        "deploymentShape": "default",
    }


def test_a_named_accelerator_takes_the_place_of_the_default_shape():
    wanted = deployments.Wanted(
        "m", accelerator_type="NVIDIA_H200_141GB", accelerator_count=2, max_context_length=4096, addons=True
    )
    body = deployments.deployment_body(wanted)
    assert "deploymentShape" not in body
    assert (body["acceleratorType"], body["acceleratorCount"]) == ("NVIDIA_H200_141GB", 2)
    assert (body["maxContextLength"], body["enableAddons"]) == (4096, True)


def test_a_shape_can_be_named():
    shape = "accounts/fireworks/deploymentShapes/fast"
    assert deployments.deployment_body(deployments.Wanted("m", shape=shape))["deploymentShape"] == shape


def test_asking_what_would_come_creates_nothing(remote):
    remote.on(f"POST {BASE}", {"name": "", "acceleratorType": "NVIDIA_H200_141GB", "acceleratorCount": 1})
    found = deployments.validate_only(remote.client(owns=lambda name: False), WANTED)
    assert (found.accelerator_type, found.accelerator_count) == ("NVIDIA_H200_141GB", 1)
    assert dict(remote.requests[0].url.params) == {"validateOnly": "true"}


def test_a_refused_configuration_keeps_the_providers_words(remote):
    remote.on(
        f"POST {BASE}", (400, {"code": 3, "message": "live merge not supported for this configuration"})
    )
    with pytest.raises(errors.Permanent, match="live merge not supported"):
        deployments.validate_only(remote.client(), WANTED)


def test_create_and_adopt(remote):
    remote.on(f"POST {BASE}", httpx.ReadError("reset")).on(
        f"GET {BASE}/p", {"name": PLACE, "state": "CREATING", "baseModel": MODEL}
    )
    assert deployments.create(remote.client(), "p", WANTED).state == "CREATING"
    assert dict(remote.calls(f"POST {BASE}")[0].url.params) == {"deploymentId": "p"}


@pytest.mark.parametrize(
    ("raw", "ready", "gone", "failed"),
    [
        ({"state": "READY", "replicaCount": 1}, True, False, False),
        ({"state": "DELETING", "replicaCount": 1}, False, False, False),
        ({"state": "DELETING", "replicaCount": 0}, False, True, False),
        ({"state": "DELETED"}, False, True, False),
        ({"state": "FAILED", "status": {"code": "X", "message": "m"}}, False, False, True),
        ({"state": "DREAMING"}, False, False, False),
    ],
)
def test_states_of_a_deployment(raw, ready, gone, failed):
    found = deployments.parse({"name": PLACE, **raw})
    assert (found.ready, found.gone, found.failed) == (ready, gone, failed)


def test_delete_passes_the_last_hour_check(remote):
    remote.on(f"DELETE {BASE}/p", {})
    deployments.delete(remote.client(), PLACE)
    assert dict(remote.requests[0].url.params) == {"ignoreChecks": "true"}


def test_scale_and_list(remote):
    remote.on(f"PATCH {BASE}/p:scale", {}).on(
        f"GET {BASE}", {"deployments": [{"name": PLACE, "replicaStats": {"readyReplicaCount": 1}}]}
    )
    client = remote.client()
    deployments.scale(client, "p", 0)
    assert remote.body(f"PATCH {BASE}/p:scale") == {"replicaCount": 0}
    assert [each.ready_replicas for each in deployments.list_all(client)] == [1]


def test_address_forms_in_order_and_the_working_one_first():
    forms = [str(form) for form in inference.addresses(MODEL, PLACE)]
    assert forms == [PLACE, f"{MODEL}#{PLACE}", f"{MODEL}#p", f"{MODEL} (header {PLACE})"]
    again = [str(form) for form in inference.addresses(MODEL, PLACE, worked=forms[2])]
    assert again == [forms[2], forms[0], forms[1], forms[3]]
    assert inference.addresses(MODEL) == (inference.Address(MODEL),)


def test_the_request_never_shortens_in_silence():
    body = inference.chat_body(
        [{"role": "user", "content": "hi"}], max_tokens=1, reasoning_effort="none", stop=["x"]
    )
    assert body == {
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 1,
        "temperature": 0.0,
        "context_length_exceeded_behavior": "error",
        "reasoning_effort": "none",
        "stop": ["x"],
    }


def test_forms_are_tried_on_404_and_the_one_that_worked_is_told(remote):
    absent = (404, {"error": {"code": "NOT_FOUND", "message": "model", "param": "model"}})
    remote.on(CHAT, absent, (404, "fault filter abort"), absent, ANSWER)
    done = inference.complete(
        remote.client(), inference.chat_body([], max_tokens=1), inference.addresses(MODEL, PLACE)
    )
    assert (done.text, done.reasoning, done.prompt_tokens, done.completion_tokens) == ("hi", "hm", 7, 2)
    assert done.address == f"{MODEL} (header {PLACE})"
    assert [remote.body(CHAT, at)["model"] for at in range(4)] == [
        PLACE,
        f"{MODEL}#{PLACE}",
        f"{MODEL}#p",
        MODEL,
    ]
    assert remote.requests[-1].headers["fireworks-deployment"] == PLACE


def test_when_no_form_works_all_are_named(remote):
    with pytest.raises(errors.NotFound, match="tuned#p") as caught:
        inference.complete(remote.client(), {}, inference.addresses(MODEL, PLACE))
    assert inference.is_warming(caught.value)


def test_a_waking_deployment_is_told_apart_and_not_hammered(remote):
    remote.on(CHAT, (503, {"error": {"code": "DEPLOYMENT_SCALING_UP", "message": "waking"}}))
    with pytest.raises(errors.ScalingUp) as caught:
        inference.complete(remote.client(), {}, inference.addresses(MODEL, PLACE))
    assert inference.is_warming(caught.value)
    assert len(remote.requests) == 1


def test_other_errors_do_not_try_other_forms(remote):
    remote.on(CHAT, (412, {"error": {"code": "PRECONDITION_FAILED", "message": "account is suspended"}}))
    with pytest.raises(errors.AccountSuspended) as caught:
        inference.complete(remote.client(), {}, inference.addresses(MODEL, PLACE))
    assert not inference.is_warming(caught.value)
    assert len(remote.requests) == 1


@pytest.mark.parametrize("raw", [{}, {"choices": []}, {"choices": [{}]}, {"choices": "x"}])
def test_an_answer_without_a_message_is_bad(raw):
    with pytest.raises(errors.BadAnswer):
        inference.read(raw, "a")


def test_a_cut_off_answer_says_so():
    choice = {"message": {"content": None}, "finish_reason": "length"}
    done = inference.read({"choices": [choice]}, "a")
    assert (done.cut_off, done.text) == (True, "")


def test_curl_shows_the_call_without_the_key(remote):
    remote.on(f"POST {BASE}", {})
    deployments.create(remote.client(), "p", deployments.Wanted(base_model="it's"))
    shown = of_exchange(remote.seen[0])
    assert shown.startswith(
        "curl -sS -X POST 'https://api.example.test/v1/accounts/acme/deployments?deploymentId=p' \\\n"
    )
    assert "Bearer $FIREWORKS_API_KEY" in shown
    assert """it'"'"'s""" in shown


def test_curl_of_reads_and_uploads():
    assert (
        curl("GET", "https://x.test/v1/a", {})
        == 'curl -sS -X GET https://x.test/v1/a \\\n  -H "Authorization: Bearer $FIREWORKS_API_KEY"'
    )
    assert "-F 'file=@my rows.jsonl'" in curl("POST", "https://x.test", {}, file="my rows.jsonl")
