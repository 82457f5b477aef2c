"""One exchange: headers, retries, lost answers, secrets, addresses."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import httpx
import pytest

from tests.unit.fireworks.conftest import KEY
from workflows.fireworks import errors, inference
from workflows.fireworks.client import Fireworks
from workflows.fireworks.retrying import Retries, wait_asked

ACCOUNT = "/v1/accounts/acme"
JOBS = f"{ACCOUNT}/supervisedFineTuningJobs"


def create_job(client):
    return client.call("POST", JOBS, query={"supervisedFineTuningJobId": "j"}, body={"dataset": "d"})


def test_the_key_goes_as_bearer_and_json_as_utf8(remote):
    remote.on(f"POST {JOBS}", {"name": "n"})
    remote.client().call(
        "POST", JOBS, query={"supervisedFineTuningJobId": "j"}, body={"displayName": "Größe"}
    )
    request = remote.requests[0]
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert "Größe".encode() in request.content
    assert str(request.url) == f"https://api.example.test{JOBS}?supervisedFineTuningJobId=j"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520])
def test_a_read_is_repeated_and_its_waits_grow(remote, status):
    remote.on(f"GET {ACCOUNT}", (status, {}), (status, {}), (status, {}), {"name": "accounts/acme"})
    assert remote.client().get(ACCOUNT) == {"name": "accounts/acme"}
    assert remote.waits == [0.5, 1.0, 2.0]


def test_repeating_is_bounded_in_count(remote):
    remote.on(f"GET {ACCOUNT}", (500, {"message": "still down"}))
    with pytest.raises(errors.Temporary, match="still down"):
        remote.client().get(ACCOUNT)
    assert len(remote.requests) == 4


def test_retry_after_is_obeyed_up_to_our_patience(remote):
    remote.on(f"GET {ACCOUNT}", (429, {}, {"retry-after": "7"}), {"ok": True})
    remote.client().get(ACCOUNT)
    assert remote.waits == [7.0]


def test_a_longer_retry_after_is_handed_to_the_engine(remote):
    remote.on(f"GET {ACCOUNT}", (429, {}, {"retry-after": "61"}))
    with pytest.raises(errors.Temporary) as caught:
        remote.client().get(ACCOUNT)
    assert caught.value.retry_after == 61
    assert (remote.waits, len(remote.requests)) == ([], 1)


def test_waits_together_are_bounded(remote):
    remote.on(f"GET {ACCOUNT}", (429, {}, {"retry-after": "40"}))
    with pytest.raises(errors.Temporary):
        remote.client().get(ACCOUNT)
    assert remote.waits == [40.0]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 412, 501])
def test_what_does_not_get_better_is_not_repeated(remote, status):
    remote.on(f"GET {ACCOUNT}", (status, {"message": "no"}))
    with pytest.raises(errors.FireworksError):
        remote.client().get(ACCOUNT)
    assert len(remote.requests) == 1


def test_quota_by_429_is_not_repeated(remote):
    remote.on(f"GET {ACCOUNT}", (429, {"error": {"code": "quota_exceeded", "message": "gpus"}}))
    with pytest.raises(errors.QuotaReached):
        remote.client().get(ACCOUNT)
    assert len(remote.requests) == 1


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("t"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("cut"),
        (502, {}),
        (408, {}),
    ],
)
def test_a_create_whose_answer_is_lost_is_not_sent_again(remote, lost):
    remote.on(f"POST {JOBS}", lost)
    with pytest.raises(errors.OutcomeUnknown, match="look before asking again"):
        create_job(remote.client())
    assert len(remote.requests) == 1


@pytest.mark.parametrize(
    "unsent", [httpx.ConnectError("refused"), httpx.ConnectTimeout("t"), httpx.PoolTimeout("p"), (429, {})]
)
def test_a_create_that_surely_had_no_effect_is_sent_again(remote, unsent):
    remote.on(f"POST {JOBS}", unsent, {"name": "n"})
    assert create_job(remote.client()).json == {"name": "n"}
    assert len(remote.requests) == 2


def test_a_lost_completion_is_not_bought_twice(remote):
    remote.on("POST /inference/v1/chat/completions", httpx.ReadTimeout("t"))
    with pytest.raises(errors.Temporary) as caught:
        remote.client().call("POST", "/inference/v1/chat/completions", body={})
    assert len(remote.requests) == 1
    assert not isinstance(caught.value, errors.OutcomeUnknown)


def test_a_read_that_loses_its_answer_is_repeated(remote):
    remote.on(f"GET {ACCOUNT}", httpx.ReadTimeout("t"), {"ok": 1})
    assert remote.client().get(ACCOUNT) == {"ok": 1}


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'"text"', b"3"])
def test_a_success_that_is_no_object_is_a_bad_answer(remote, body):
    remote.on(f"GET {ACCOUNT}", (200, body))
    with pytest.raises(errors.BadAnswer):
        remote.client().get(ACCOUNT)


def test_redirects_are_not_followed_with_the_key(remote):
    remote.on(f"GET {ACCOUNT}", (302, b"", {"location": "https://evil.example/steal"}))
    with pytest.raises(errors.Permanent):
        remote.client().get(ACCOUNT)
    assert [request.url.host for request in remote.requests] == ["api.example.test"]


def test_the_key_is_nowhere_to_be_read(remote, caplog):
    caplog.set_level(logging.DEBUG)
    remote.on(f"GET {ACCOUNT}", (400, {"message": f"bad header Authorization: Bearer {KEY}", "code": 3}))
    client = remote.client()
    with pytest.raises(errors.Permanent) as caught:
        client.get(ACCOUNT)
    shown = f"{client!r} {caught.value} {caught.value.fault} {caplog.text} {remote.seen}"
    assert KEY not in shown
    assert "GET /v1/accounts/acme 400" in caplog.text


def test_observed_exchanges_hide_secret_fields(remote):
    remote.on(f"POST {JOBS}", {})
    body = {"dataset": "d", "wandbConfig": {"apiKey": "wandb-secret", "project": "p"}}
    remote.client().call("POST", JOBS, query={"supervisedFineTuningJobId": "j"}, body=body)
    (seen,) = remote.seen
    assert seen.body == {"dataset": "d", "wandbConfig": {"apiKey": "[hidden]", "project": "p"}}
    assert (seen.status, seen.query) == (200, {"supervisedFineTuningJobId": "j"})


@pytest.mark.parametrize(
    "address",
    ["http://api.example.test", "ftp://x", "api.example.test", "https://u:p@x", "https://x?key=1", ""],
)
def test_a_base_that_would_leak_the_key_is_refused(address):
    with pytest.raises(ValueError, match="base URL"):
        Fireworks(address, KEY)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8001", "http://localhost:1", "http://[::1]:9", "https://api.fireworks.ai/"]
)
def test_https_and_this_machine_are_fine(address):
    with Fireworks(address, KEY, "accounts/acme") as client:
        assert client.account == "acme"
        assert client.inference_url == address.rstrip("/") + "/inference/v1"


@pytest.mark.parametrize("key", ["", "  ", "two words", "fw_\nx", "schlüssel"])
def test_an_impossible_key_is_named_without_being_shown(key):
    with pytest.raises(ValueError, match="API key") as caught:
        Fireworks("https://api.example.test", key)
    assert not key.strip() or key not in str(caught.value)


def test_verify_takes_the_account_from_the_header(remote):
    remote.on("GET /verifyApiKey", (200, {}, {"x-fireworks-account-id": "acme"}))
    client = remote.client(account="")
    assert (client.verify(), client.account) == ("acme", "acme")


def test_verify_falls_back_to_the_only_account(remote):
    remote.on("GET /v1/accounts", {"accounts": [{"name": "accounts/solo"}]})
    assert remote.client(account="").verify() == "solo"
    assert remote.calls("GET /v1/accounts")[0].url.params["pageSize"] == "2"


@pytest.mark.parametrize("accounts", [[], [{"name": "accounts/a"}, {"name": "accounts/b"}]])
def test_verify_refuses_to_guess(remote, accounts):
    remote.on("GET /v1/accounts", {"accounts": accounts})
    with pytest.raises(errors.Permanent, match="name the one to use"):
        remote.client(account="").verify()


def test_verify_says_that_the_key_is_bad(remote):
    remote.on("GET /verifyApiKey", (401, {"code": 16, "message": "invalid"}))
    with pytest.raises(errors.KeyRefused):
        remote.client().verify()


def test_lists_are_read_to_their_end_with_unchanged_parameters(remote):
    path = f"{ACCOUNT}/datasets"
    remote.on(
        f"GET {path}",
        {"datasets": [{"name": "1"}], "nextPageToken": "t"},
        {"datasets": [{"name": "2"}, "odd"]},
    )
    assert list(remote.client().pages(path, "datasets", filter="x=1")) == [{"name": "1"}, {"name": "2"}]
    assert [dict(request.url.params) for request in remote.requests] == [
        {"pageSize": "200", "filter": "x=1"},
        {"pageSize": "200", "filter": "x=1", "pageToken": "t"},
    ]


def test_paths_need_an_account():
    with Fireworks("https://api.example.test", KEY) as client, pytest.raises(ValueError, match="verify"):
        client.path("datasets")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT"}, 10.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT"}, 0.0),
    ],
)
def test_retry_after_in_all_its_forms(headers, seconds):
    now = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)
    assert wait_asked(headers, lambda: now) == seconds


def test_waits_are_jittered_and_capped():
    low, high = Retries(jitter=lambda: 0.0), Retries(jitter=lambda: 1.0)
    assert [low.delay(n, None) for n in (1, 2, 9)] == [0.25, 0.5, 4.0]
    assert [high.delay(n, None) for n in (1, 2, 9)] == [0.5, 1.0, 8.0]


def test_no_model_is_asked_that_no_approval_covers(remote):
    """An approval names what may be spent: without one not even the first token is asked for."""
    covered = "accounts/fireworks/models/gpt-oss-20b"
    remote.on("POST /inference/v1/chat/completions", {"choices": [{"message": {"content": "yes"}}]})
    client = remote.client(owns=lambda name: name.endswith("/ours"), asks=lambda model: model == covered)
    body = inference.chat_body([], max_tokens=1)
    own, foreign = "accounts/acme/deployments/ours", "accounts/acme/deployments/theirs"
    other = "accounts/fireworks/models/kimi-k3"
    for form in (*inference.addresses(covered), *inference.addresses(other, own)):
        inference.complete(client, body, [form])
    asked = len(remote.requests)
    elsewhere = (*inference.addresses(other), *inference.addresses(covered, foreign))
    for form in (*elsewhere, inference.Address(f"{covered}#accounts/other/deployments/ours-not")):
        with pytest.raises(errors.CallForbidden, match="no approval"):
            inference.complete(client, body, [form])
    assert len(remote.requests) == asked == 5
