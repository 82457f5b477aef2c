"""LoRA models on a deployment of their base, live merges that are replaced, and how each is addressed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.localfireworks.conftest import KEY, QWEN, ROOT, Server

PATH = "/deployedModels"
BF16 = "accounts/fireworks/deploymentShapes/qwen3-8b-bf16"
BASE = f"{ROOT.removeprefix('/v1/')}/deployments/base"


async def deploy(server: Server, id_: str, **body: Any) -> str:
    """A READY deployment; its full name."""
    made = await server.post("/deployments", {"baseModel": QWEN, **body}, deploymentId=id_)
    await server.settled()
    assert (await server.get(f"/deployments/{id_}"))["state"] == "READY"
    return str(made["name"])


async def multi(server: Server) -> str:
    return await deploy(server, "base", deploymentShape=BF16, enableAddons=True)


async def load(server: Server, model: str, deployment: str, **query: Any) -> dict[str, Any]:
    """A DEPLOYED model, as its single GET shows it."""
    made = await server.post(PATH, {"model": model, "deployment": deployment}, **query)
    assert made["state"] == "DEPLOYING"
    await server.settled()
    server.tick(2)
    shown = await server.get(f"{PATH}/{made['name'].rsplit('/', 1)[1]}")
    assert shown["state"] == "DEPLOYED"
    return shown


async def answer(server: Server, model: str, **headers: str) -> str:
    """The first word of the answer, which names stand-in and adapter; else the status."""
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    response = await server.http.post(
        "/inference/v1/chat/completions",
        json=body,
        headers=KEY | {k.replace("_", "-"): v for k, v in headers.items()},
    )
    if response.status_code != 200:
        return str(response.status_code)
    return str(response.json()["choices"][0]["message"]["content"].split()[0].split("-r")[0])


async def test_lora_models_share_the_deployment_of_their_base(server: Server) -> None:
    one, two = await server.trained("one"), await server.trained("two")
    base = await multi(server)
    assert (await load(server, one, base))["default"] is True
    await load(server, two, base)
    listed = (await server.get(PATH, filter=f'model="{one}"'))["deployedModels"]
    assert [row["deployment"] for row in listed] == [base]
    assert await answer(server, f"{one}#{base}") == "small+one"
    assert await answer(server, f"{two}#base") == "small+two"
    assert await answer(server, two, fireworks_deployment=base) == "small+two"
    assert await answer(server, base) == "small"
    assert await answer(server, f"{QWEN}#base") == "small"
    assert await answer(server, two) == "small+two"  # the bare name: its default deployment


async def test_a_lora_that_is_loaded_elsewhere_or_not_at_all_is_not_found(server: Server) -> None:
    one, two = await server.trained("one"), await server.trained("two")
    base, merged = (
        await multi(server),
        await deploy(server, "merged", baseModel=two, deploymentShape="default"),
    )
    await load(server, one, base)
    for address in (two, f"{two}#{base}", f"{one}#{merged}", f"{QWEN}#{merged}", "nothing#base"):
        assert await answer(server, address) == "404", address
    assert await answer(server, f"{two}#{merged}") == "small+two"


async def test_while_it_loads_it_is_not_found(server: Server) -> None:
    one, base = await server.trained("one"), await multi(server)
    await server.post(PATH, {"model": one, "deployment": base})
    assert await answer(server, f"{one}#{base}") == "404"


async def test_a_model_says_where_it_is_deployed_and_is_kept_for_that(server: Server) -> None:
    one, base = await server.trained("one"), await multi(server)
    shown = await load(server, one, base)
    (ref,) = (await server.get("/models/one"))["deployedModelRefs"]
    assert ref == {
        "name": shown["name"],
        "deployment": base,
        "state": "DEPLOYED",
        "default": True,
        "public": False,
    }
    assert "unload" in (await server.refused("/models/one", method="DELETE"))[1]
    assert "LoRA models loaded" in (await server.refused("/deployments/base", method="DELETE"))[1]
    path = shown["name"].removeprefix("accounts/rehearsal")
    assert (await server.http.delete(ROOT + path)).json() == {}
    assert (await server.get(path))["state"] == "UNDEPLOYING"
    assert await answer(server, f"{one}#{base}") == "404"
    server.tick()
    assert (await server.refused(path, method="GET"))[0] == 404
    assert (await server.http.delete(f"{ROOT}/models/one")).status_code == 200


async def test_it_goes_with_its_deployment(server: Server) -> None:
    one, base = await server.trained("one"), await multi(server)
    await load(server, one, base)
    await server.http.delete(f"/v1/{base}", params={"ignoreChecks": "true"})
    server.tick()
    assert (await server.get(PATH))["totalSize"] == 0


async def test_one_deployment_is_the_default_of_a_model(server: Server) -> None:
    one, base = await server.trained("one"), await multi(server)
    other = await deploy(server, "other", deploymentShape=BF16, enableAddons=True)
    first, second = await load(server, one, base), await load(server, one, other)
    assert (first["default"], second["default"]) == (True, False)
    path = second["name"].removeprefix("accounts/rehearsal")
    changed = await server.http.patch(ROOT + path, json={"default": True, "displayName": "Two", "model": "x"})
    assert (changed.json()["default"], changed.json()["displayName"], changed.json()["model"]) == (
        True,
        "Two",
        one,
    )
    assert (await server.get(first["name"].removeprefix("accounts/rehearsal")))["default"] is False


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"model": QWEN}, 400, "base model"),
        ({"model": "accounts/rehearsal/models/none"}, 404, "not found"),
        ({"deployment": "accounts/rehearsal/deployments/none"}, 404, "not found"),
        ({"deployment": "accounts/rehearsal/deployments/plain"}, 400, "addons are not enabled"),
        ({"deployment": "accounts/rehearsal/deployments/foreign"}, 400, "deployment of its base model"),
        ({"serverless": True}, 400, "dedicated"),
        ({"displayName": "x" * 64}, 400, "display_name"),
    ],
)
async def test_refusals(server: Server, change: dict[str, Any], status: int, words: str) -> None:
    one, base = await server.trained("one"), await multi(server)
    await deploy(server, "plain", deploymentShape=BF16)
    await deploy(
        server,
        "foreign",
        baseModel="accounts/fireworks/models/qwen3-32b",
        deploymentShape="default",
        enableAddons=True,
    )
    refused = await server.refused(PATH, {"model": one, "deployment": base} | change)
    assert refused[0] == status
    assert words in refused[1]


async def test_a_model_is_loaded_once_and_a_deployment_has_room_for_100(server: Server) -> None:
    one, two = await server.trained("one"), await server.trained("two")
    base = await multi(server)
    await load(server, one, base)
    assert (await server.refused(PATH, {"model": one, "deployment": base}))[0] == 409
    for number in range(99):
        row = server.service.new(
            "deployedModels", f"x{number}", "DEPLOYED", {"model": "m", "deployment": base}
        )
        server.service.store.insert(row)
    assert (await server.refused(PATH, {"model": two, "deployment": base}))[0] == 429


async def test_a_merged_lora_is_replaced_while_the_old_one_answers(server: Server) -> None:
    one, two = await server.trained("one"), await server.trained("two")
    merged = await deploy(server, "merged", baseModel=one, deploymentShape="default")
    assert "addons are not enabled" in (await server.refused(PATH, {"model": two, "deployment": merged}))[1]
    made = await server.post(PATH, {"model": two, "deployment": merged}, replaceMergedAddon="true")
    assert (await server.get("/deployments/merged"))["state"] == "UPDATING"
    assert await answer(server, merged) == "small+one"
    await server.settled()
    assert (await server.get("/deployments/merged"))["state"] == "READY"
    shown = await server.get(made["name"].removeprefix("accounts/rehearsal"))
    assert shown["state"] == "DEPLOYED"
    assert await answer(server, merged) == "small+two"
    assert await answer(server, f"{two}#merged") == "small+two"
    assert await answer(server, f"{one}#merged") == "404"
    assert (await server.http.delete(f"{ROOT}/models/one")).status_code == 200
    is_merged = await server.refused(made["name"].removeprefix("accounts/rehearsal"), method="DELETE")
    assert "is merged" in is_merged[1]


async def test_a_hot_reload_deployment_takes_one_lora_after_another(server: Server) -> None:
    one, two = await server.trained("one"), await server.trained("two")
    base = await deploy(server, "base", deploymentShape=BF16, enableHotReloadLatestAddon=True)
    assert "replaceMergedAddon" in (await server.refused(PATH, {"model": one, "deployment": base}))[1]
    await load(server, one, base, replaceMergedAddon="true")
    assert await answer(server, base) == "small+one"
    await load(server, two, base, replaceMergedAddon="true")
    assert await answer(server, f"{two}#base") == "small+two"
    assert [row["model"] for row in (await server.get(PATH))["deployedModels"]] == [two]
