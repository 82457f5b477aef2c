"""What may leave the process at all, and about whose things."""

from __future__ import annotations

import re

import pytest

from workflows.fireworks.errors import CallForbidden
from workflows.fireworks.manifest import MANIFEST, Effect, Repeat, allowed

FORBIDDEN = [
    ("DELETE", "/v1/accounts/acme/datasets/d"),
    ("DELETE", "/v1/accounts/acme/models/m"),
    ("DELETE", "/v1/accounts/acme/supervisedFineTuningJobs/j"),
    ("PATCH", "/v1/accounts/acme/datasets/d"),
    ("PATCH", "/v1/accounts/acme/deployments/d"),
    ("PATCH", "/v1/accounts/acme/quotas/q"),
    ("POST", "/v1/accounts/acme/models"),
    ("POST", "/v1/accounts/acme/datasets/d:splitDataset"),
    ("POST", "/v1/accounts"),
    ("DELETE", "/v1/accounts/acme/dpoJobs/j"),
    ("DELETE", "/v1/accounts/acme/batchInferenceJobs/j"),
    ("DELETE", "/v1/accounts/acme/evaluators/e"),
    ("DELETE", "/v1/accounts/acme/evaluationJobs/j"),
    ("PATCH", "/v1/accounts/acme/evaluators/e"),
    ("PATCH", "/v1/accounts/acme/deployedModels/m"),
    ("POST", "/v1/accounts/acme/deployments/d:undelete"),
    ("POST", "/v1/accounts/acme/evaluators"),
    ("GET", "/v1/accounts/acme/users"),
    ("GET", "/v1/accounts/acme/secrets/s"),
    ("GET", "/v1/accounts/acme/datasets/../models"),
    ("GET", "/v1/accounts/acme/datasets/d%2f..%2fe"),
    ("GET", "/v1/accounts/acme/datasets/d/e"),
    ("GET", "/v1/accounts/acme/datasets/d\n"),
    ("get", "/v1/accounts"),
    ("DELETE", "/v1/accounts/acme"),
]


@pytest.mark.parametrize(("method", "path"), FORBIDDEN)
def test_what_is_not_listed_is_refused_before_a_byte_leaves(remote, method, path):
    with pytest.raises(CallForbidden, match="manifest"):
        remote.client().call(method, path, body={})
    assert remote.requests == []


CHANGING = [
    ("POST", "/v1/accounts/acme/datasets", {}, {"datasetId": "d"}, "accounts/acme/datasets/d"),
    ("POST", "/v1/accounts/acme/datasets/d:upload", {}, None, "accounts/acme/datasets/d"),
    ("POST", "/v1/accounts/acme/datasets/d:validateUpload", {}, {}, "accounts/acme/datasets/d"),
    (
        "POST",
        "/v1/accounts/acme/supervisedFineTuningJobs",
        {"supervisedFineTuningJobId": "j"},
        {"dataset": "x"},
        "accounts/acme/supervisedFineTuningJobs/j",
    ),
    (
        "POST",
        "/v1/accounts/acme/supervisedFineTuningJobs/j:cancel",
        {},
        {},
        "accounts/acme/supervisedFineTuningJobs/j",
    ),
    ("POST", "/v1/accounts/acme/deployments", {"deploymentId": "p"}, {}, "accounts/acme/deployments/p"),
    ("POST", "/v1/accounts/acme/dpoJobs", {"dpoJobId": "j"}, {"dataset": "x"}, "accounts/acme/dpoJobs/j"),
    ("POST", "/v1/accounts/acme/dpoJobs/j:resume", {}, {}, "accounts/acme/dpoJobs/j"),
    (
        "POST",
        "/v1/accounts/acme/batchInferenceJobs",
        {"batchInferenceJobId": "b"},
        {"model": "x"},
        "accounts/acme/batchInferenceJobs/b",
    ),
    (
        "POST",
        "/v1/accounts/acme/evaluatorsV2",
        {},
        {"evaluatorId": "e", "evaluator": {}},
        "accounts/acme/evaluators/e",
    ),
    ("POST", "/v1/accounts/acme/evaluators/e:validateUpload", {}, {}, "accounts/acme/evaluators/e"),
    (
        "POST",
        "/v1/accounts/acme/evaluationJobs",
        {},
        {"evaluationJobId": "j", "evaluationJob": {}},
        "accounts/acme/evaluationJobs/j",
    ),
    (
        "POST",
        "/v1/accounts/acme/deployedModels",
        {},
        {"model": "accounts/acme/models/m", "deployment": "accounts/acme/deployments/p"},
        "accounts/acme/deployments/p",
    ),
    ("DELETE", "/v1/accounts/acme/deployedModels/m-1", {}, None, "accounts/acme/deployedModels/m-1"),
    (
        "DELETE",
        "/v1/accounts/acme/deployments/p",
        {"ignoreChecks": "true"},
        None,
        "accounts/acme/deployments/p",
    ),
    (
        "PATCH",
        "/v1/accounts/acme/deployments/p:scale",
        {},
        {"replicaCount": 0},
        "accounts/acme/deployments/p",
    ),
]


@pytest.mark.parametrize(("method", "path", "query", "body", "name"), CHANGING)
def test_a_changing_call_needs_a_name_recorded_as_ours(remote, method, path, query, body, name):
    remote.on(f"{method} {path}", {})
    asked: list[str] = []
    stranger = remote.client(owns=lambda each: asked.append(each) or False)
    with pytest.raises(CallForbidden, match="not ours"):
        stranger.call(method, path, query=query, body=body)
    assert (asked, remote.requests) == ([name], [])
    assert remote.client(owns={name}.__contains__).call(method, path, query=query, body=body).status == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/v1/accounts/other/deployments/p", None),
        ("DELETE", "/v1/accounts/other/deployedModels/m-1", None),
        ("POST", "/v1/accounts/other/deployedModels", {"deployment": "accounts/acme/deployments/p"}),
        ("POST", "/v1/accounts/acme/deployedModels", {"deployment": "accounts/other/deployments/p"}),
    ],
)
def test_another_account_is_never_changed_even_if_the_name_is_claimed(remote, method, path, body):
    with pytest.raises(CallForbidden):
        remote.client().call(method, path, body=body)
    assert remote.requests == []


@pytest.mark.parametrize(
    "collection", ["supervisedFineTuningJobs", "dpoJobs", "evaluatorsV2", "evaluationJobs", "deployedModels"]
)
def test_a_create_without_an_id_of_ours_is_refused(remote, collection):
    with pytest.raises(CallForbidden, match="without a name"):
        remote.client().call("POST", f"/v1/accounts/acme/{collection}", body={"dataset": "x"})
    assert remote.requests == []


def test_by_default_nothing_is_ours(remote):
    from workflows.fireworks.wire import owns_nothing

    with pytest.raises(CallForbidden):
        remote.client(owns=owns_nothing).call("POST", "/v1/accounts/acme/datasets", body={"datasetId": "d"})


def test_validate_only_creates_nothing_and_needs_no_name(remote):
    path = "/v1/accounts/acme/deployments"
    remote.on(f"POST {path}", {"state": "CREATING"})
    client = remote.client(owns=lambda name: False)
    assert client.call("POST", path, query={"validateOnly": "true"}, body={}).json == {"state": "CREATING"}
    with pytest.raises(CallForbidden):
        client.call("POST", path, query={"validateOnly": "false", "deploymentId": "p"}, body={})


@pytest.mark.parametrize("row", [row for row in MANIFEST if row.effect in (Effect.CREATE, Effect.CHANGE)])
def test_validate_only_opens_no_other_call(remote, row):
    """Where it is not heeded, it would create without a name of ours and again after a lost answer."""
    path = re.sub(r"\{\w+\}", "x", row.path.replace("{account}", "acme"))
    client = remote.client(owns=lambda name: True)
    if row.only_validates:
        assert path == "/v1/accounts/acme/deployments"
        assert client.permit(row.method, path, {"validateOnly": "true"}, {}).effect is Effect.READ
    else:
        with pytest.raises(CallForbidden, match="validateOnly"):
            client.permit(row.method, path, {"validateOnly": "true"}, {})


def test_every_row_that_acts_says_whose_name_it_touches():
    acting = [row for row in MANIFEST if row.effect in (Effect.CREATE, Effect.CHANGE)]
    assert acting
    assert all(row.name_in for row in acting)
    assert all(row.repeat is Repeat.UNTOUCHED for row in acting if row.effect is Effect.CREATE)
    assert {row.path for row in MANIFEST if row.method == "DELETE"} == {
        "/v1/accounts/{account}/deployments/{deployment}",
        "/v1/accounts/{account}/deployedModels/{model}",
    }


def test_rows_match_exactly_one_call():
    assert allowed("GET", "/v1/accounts/fireworks/models/qwen3-8b").effect is Effect.READ
    assert allowed("POST", "/v1/accounts/a/supervisedFineTuningJobs:estimateCost").effect is Effect.READ
    for row in MANIFEST:
        example = row.path.replace("{", "x").replace("}", "1")
        assert [
            each for each in MANIFEST if each.method == row.method and each.pattern.fullmatch(example)
        ] == [row]
