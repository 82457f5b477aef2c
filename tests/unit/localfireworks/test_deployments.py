"""Deployments: resolving, refusing, loading, sleeping, waking, deleting."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.localfireworks.conftest import QWEN, Server

PATH = "/deployments"
SHAPED = {"baseModel": QWEN, "deploymentShape": "default"}


async def deployed(server: Server, id_: str = "dep", **more: Any) -> str:
    """A READY deployment; its full name."""
    made = await server.post(PATH, SHAPED | more, deploymentId=id_)
    assert made["state"] == "CREATING"
    await server.settled()
    assert (await server.get(f"{PATH}/{id_}"))["state"] == "READY"
    return str(made["name"])


async def test_validate_only_resolves_and_creates_nothing(server: Server) -> None:
    made = await server.post(PATH, SHAPED, deploymentId="dep", validateOnly="true")
    assert (made["acceleratorType"], made["acceleratorCount"]) == ("NVIDIA_H100_80GB", 1)
    assert made["deploymentShape"] == "accounts/fireworks/deploymentShapes/qwen3-8b-fp8/versions/1"
    assert (made["minReplicaCount"], made["maxReplicaCount"]) == (0, 1)
    assert (await server.get(PATH))["totalSize"] == 0


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"baseModel": "accounts/fireworks/models/none"}, 404, "not found"),
        ({"deploymentShape": ""}, 400, "accelerator type is missing"),
        ({"deploymentShape": "", "acceleratorType": "ABACUS"}, 400, "invalid accelerator_type"),
        ({"deploymentShape": "accounts/fireworks/deploymentShapes/x"}, 403, "not accessible"),
        ({"deploymentShape": "accounts/fireworks/deploymentShapes/qwen3-32b-bf16"}, 400, "cannot serve"),
        ({"autoscalingPolicy": {"scaleToZeroWindow": "60s"}}, 400, "at least 300s"),
        ({"autoscalingPolicy": {"scaleToZeroWindow": "soon"}}, 400, "give seconds"),
        ({"minReplicaCount": 3, "maxReplicaCount": 2}, 400, "max_replica_count"),
        ({"minReplicaCount": -1}, 400, "minReplicaCount"),
        ({"displayName": "x" * 70}, 400, "display_name"),
        (
            {"baseModel": "accounts/fireworks/models/nemotron-nano-3-30b-a3b", "enableAddons": True},
            400,
            "addons are not supported",
        ),
        (
            {
                "deploymentShape": "",
                "acceleratorType": "NVIDIA_H100_80GB",
                "enableAddons": True,
                "precision": "FP8",
            },
            400,
            "addons cannot be used with FP8",
        ),
    ],
)
async def test_refusals(server: Server, change: dict[str, Any], status: int, words: str) -> None:
    answer = await server.refused(PATH, SHAPED | change)
    assert answer[0] == status
    assert words in answer[1]


async def test_a_lora_needs_a_base_that_serves_lora(server: Server) -> None:
    name = await server.trained(baseModel="accounts/fireworks/models/nemotron-nano-3-30b-a3b")
    message = (await server.refused(PATH, SHAPED | {"baseModel": name}))[1]
    assert message.startswith("live merge is not supported for this configuration")


async def test_ready_means_that_the_model_was_loaded(server: Server) -> None:
    name = await server.trained()
    await server.post(PATH, {"baseModel": name, "deploymentShape": "default"}, deploymentId="dep")
    server.tick(0.1)
    assert (await server.get(f"{PATH}/dep"))["replicaStats"]["initializingReplicaCount"] == 1
    await server.settled()
    ready = await server.get(f"{PATH}/dep")
    assert (ready["state"], ready["replicaCount"], ready["precision"]) == ("READY", 1, "BF16")
    assert [str(model.adapter).rsplit("/")[-1][:5] for model in server.engine.loaded if model.adapter] == [
        "job-1"
    ]
    refs = (await server.get(name.removeprefix("accounts/rehearsal")))["deployedModelRefs"]
    assert [(ref["deployment"], ref["state"]) for ref in refs] == [(ready["name"], "DEPLOYED")]
    assert (
        "active deployments"
        in (await server.refused(name.removeprefix("accounts/rehearsal"), method="DELETE"))[1]
    )


async def test_duplicate_ids_are_refused_even_after_deletion(server: Server) -> None:
    await deployed(server)
    assert (await server.refused(PATH, SHAPED, deploymentId="dep"))[0] == 409
    await server.http.delete(f"/v1/accounts/rehearsal{PATH}/dep", params={"ignoreChecks": "true"})
    assert (await server.refused(PATH, SHAPED, deploymentId="dep"))[0] == 409


async def test_it_sleeps_after_the_window_and_wakes_on_a_request(server: Server) -> None:
    name = await deployed(server, autoscalingPolicy={"scaleToZeroWindow": "300s"})
    server.tick(290)
    assert (await server.get(f"{PATH}/dep"))["replicaCount"] == 1
    server.tick(20)
    assert (await server.get(f"{PATH}/dep"))["replicaCount"] == 0
    body = {"model": name, "messages": [{"role": "user", "content": "hi"}]}
    asleep = await server.http.post("/inference/v1/chat/completions", json=body)
    assert (asleep.status_code, asleep.json()["error"]["code"]) == (503, "DEPLOYMENT_SCALING_UP")
    assert (await server.get(f"{PATH}/dep"))["desiredReplicaCount"] == 1
    await server.settled()
    awake = await server.http.post("/inference/v1/chat/completions", json=body)
    assert awake.status_code == 200
    assert (await server.get(f"{PATH}/dep"))["replicaCount"] == 1


async def test_a_minimum_keeps_it_awake(server: Server) -> None:
    await deployed(server, minReplicaCount=2)
    server.tick(10**6)
    kept = await server.get(f"{PATH}/dep")
    assert (kept["replicaCount"], kept["maxReplicaCount"]) == (2, 2)


async def test_after_a_week_without_a_request_it_is_removed(server: Server) -> None:
    await deployed(server)
    server.tick(7 * 86_400 + 60)
    assert (await server.get(f"{PATH}/dep"))["state"] == "DELETED"


async def test_scale_to_zero_and_back(server: Server) -> None:
    await deployed(server)
    path = f"/v1/accounts/rehearsal{PATH}/dep:scale"
    assert (await server.http.patch(path, json={"replicaCount": 0})).json()["replicaCount"] == 0
    assert (await server.http.patch(path, json={"replicaCount": 1})).json()["desiredReplicaCount"] == 1
    await server.settled()
    assert (await server.get(f"{PATH}/dep"))["replicaCount"] == 1
    assert (await server.http.patch(path, json={"replicaCount": 9})).status_code == 400


async def test_scaled_to_zero_while_created_it_is_ready_and_asleep(server: Server) -> None:
    await server.post(PATH, SHAPED, deploymentId="dep")
    await server.http.patch(f"/v1/accounts/rehearsal{PATH}/dep:scale", json={"replicaCount": 0})
    await server.settled()
    body = await server.get(f"{PATH}/dep")
    assert (body["state"], body["replicaCount"]) == ("READY", 0)


async def test_patch_changes_what_may_change(server: Server) -> None:
    await deployed(server)
    path = f"/v1/accounts/rehearsal{PATH}/dep"
    body = {"displayName": "New", "maxReplicaCount": 3, "baseModel": "ignored"}
    patched = (await server.http.patch(path, json=body)).json()
    assert (patched["displayName"], patched["maxReplicaCount"], patched["baseModel"]) == ("New", 3, QWEN)
    assert (await server.http.patch(path, json={"minReplicaCount": 4})).status_code == 400


async def test_a_recent_use_guards_against_deletion(server: Server) -> None:
    name = await deployed(server)
    body = {"model": name, "messages": [{"role": "user", "content": "hi"}]}
    assert (await server.http.post("/v1/chat/completions", json=body)).status_code == 200
    assert "within the last hour" in (await server.refused(f"{PATH}/dep", method="DELETE"))[1]
    server.clock.now += 3601
    assert (await server.http.delete(f"/v1/{name}")).status_code == 200


async def test_deleted_is_hidden_shown_on_request_undone_and_purged(server: Server) -> None:
    name = await deployed(server)
    await server.http.delete(f"/v1/{name}", params={"ignoreChecks": "true"})
    assert (await server.get(PATH))["deployments"] == []
    shown = (await server.get(PATH, showDeleted="true"))["deployments"]
    assert [(row["state"], row["replicaCount"], "purgeTime" in row) for row in shown] == [
        ("DELETED", 0, True)
    ]
    assert (await server.post(f"{PATH}/dep:undelete"))["state"] == "CREATING"
    await server.settled()
    assert (await server.get(f"{PATH}/dep"))["state"] == "READY"
    assert (await server.refused(f"{PATH}/dep:undelete"))[0] == 400
    await server.http.delete(f"/v1/{name}", params={"ignoreChecks": "true"})
    server.tick(7 * 86_400 + 60)
    assert (await server.refused(f"{PATH}/dep", method="GET"))[0] == 404


async def test_hard_deletion_leaves_nothing(server: Server) -> None:
    name = await deployed(server)
    await server.http.delete(f"/v1/{name}", params={"ignoreChecks": "true", "hard": "true"})
    assert (await server.refused(f"{PATH}/dep", method="GET"))[0] == 404


@pytest.mark.parametrize(
    ("change", "query", "words"),
    [
        (
            {"deploymentShape": "accounts/fireworks/deploymentShapes/qwen3-8b-fp8", "enableAddons": True},
            {},
            "addons cannot be used with FP8",
        ),
        ({}, {"acceptShapelessRisk": "true"}, "exclude each other"),
        (
            {
                "baseModel": "accounts/fireworks/models/kimi-k3",
                "deploymentShape": "",
                "acceleratorType": "NVIDIA_H100_80GB",
            },
            {},
            "not supported on this GPU",
        ),
        (
            {"deploymentShape": "", "acceleratorType": "NVIDIA_H100_80GB", "acceleratorCount": 1}
            | {"baseModel": "accounts/fireworks/models/llama-v3p3-70b-instruct"},
            {},
            "1 x NVIDIA_H100_80GB is too small",
        ),
        ({"placement": {"region": "US_IOWA_1", "multiRegion": "US"}}, {}, "exactly one of region"),
        ({"autoscalingPolicy": {"scaleDownWindow": "7200s"}}, {}, "at most 3600s"),
    ],
)
async def test_more_refusals(
    server: Server, change: dict[str, Any], query: dict[str, str], words: str
) -> None:
    status, message = await server.refused(PATH, SHAPED | change, **query)
    assert status == 400
    assert words in message


async def test_without_a_shape_the_fewest_accelerators_that_hold_the_model_are_taken(server: Server) -> None:
    body = {
        "baseModel": "accounts/fireworks/models/llama-v3p3-70b-instruct",
        "acceleratorType": "NVIDIA_H100_80GB",
    }
    made = await server.post(PATH, body, validateOnly="true")
    assert (made["acceleratorCount"], made["precision"], made["deploymentShape"]) == (4, "BF16", "")
    forced = {"acceleratorCount": 1, "disableDeploymentSizeValidation": True}
    assert (await server.post(PATH, body | forced, validateOnly="true"))["acceleratorCount"] == 1


async def test_a_patch_moves_replicas_and_shape_but_not_the_place(server: Server) -> None:
    name = await deployed(server)

    async def patch(**body: Any) -> dict[str, Any]:
        return (await server.http.patch(f"/v1/{name}", json={"baseModel": QWEN, **body})).json()

    assert (await patch(minReplicaCount=2, maxReplicaCount=3))["desiredReplicaCount"] == 2
    await server.settled()
    assert (await patch(minReplicaCount=0, maxReplicaCount=1))["replicaCount"] == 1
    bf16 = "accounts/fireworks/deploymentShapes/qwen3-8b-bf16"
    assert (await patch(deploymentShape=f"{bf16}/versions/1"))["state"] == "UPDATING"
    await server.settled()
    shown = await server.get(f"{PATH}/dep")
    assert (shown["state"], shown["precision"], shown["deploymentShape"]) == (
        "READY",
        "BF16",
        f"{bf16}/versions/1",
    )
    assert (await patch(deploymentShape=bf16))["state"] == "READY"
    assert "cannot be changed" in (await patch(placement={"multiRegion": "US"}))["message"]
    assert (await patch(maxReplicaCount=0))["replicaCount"] == 0
    body = {"model": name, "messages": [{"role": "user", "content": "hi"}]}
    assert (await server.http.post("/v1/chat/completions", json=body)).status_code == 503
    assert (await server.get(f"{PATH}/dep"))["desiredReplicaCount"] == 0


async def test_secrets_of_a_deployment_are_not_shown(server: Server) -> None:
    made = await server.post(PATH, SHAPED | {"directRouteApiKeys": ["SECRET"]}, validateOnly="true")
    assert "SECRET" not in str(made)
