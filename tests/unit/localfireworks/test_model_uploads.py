"""Adapters that are brought in: what they must be, and that they serve like those made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from localfireworks.adapter_check import SETTINGS, TENSORS
from localfireworks.engine.config import WEIGHTS, ModelConfig
from localfireworks.engine.lora import init_lora, load_adapter, save_adapter
from tests.unit.localfireworks.conftest import QWEN, Server

pytestmark = pytest.mark.skipif(not (WEIGHTS / "small").is_dir(), reason="the stand-ins are not here")
NAME = "accounts/rehearsal/models/mine"


@pytest.fixture(scope="module")
def config() -> ModelConfig:
    return ModelConfig.read(WEIGHTS / "small" / "config.json")


@pytest.fixture
def folder(tmp_path: Path, config: ModelConfig) -> Path:
    """An adapter of rank 4 for the small stand-in, as PEFT writes it."""
    save_adapter(tmp_path / "adapter", init_lora(config, 4, 0), "small")
    return tmp_path / "adapter"


async def create(server: Server, **model: Any) -> dict[str, Any]:
    given = {"kind": "HF_PEFT_ADDON", "displayName": "Mine", "peftDetails": {"baseModel": QWEN}, **model}
    return await server.post("/models", {"modelId": "mine", "model": given})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def upload(server: Server, folder: Path) -> None:
    files = contents(folder)
    sizes = {"filenameToSize": {name: str(len(content)) for name, content in files.items()}}
    urls = (await server.post("/models/mine:getUploadEndpoint", sizes))["filenameToSignedUrls"]
    for name, content in files.items():
        length = f"{len(content)},{len(content)}"
        headers = {"content-type": "application/octet-stream", "x-goog-content-length-range": length}
        request = server.http.build_request("PUT", urls[name], content=content, headers=headers)
        del request.headers["authorization"]
        assert (await server.http.send(request)).status_code == 200


def change(folder: Path, **settings: Any) -> None:
    path = folder / SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


async def test_an_uploaded_adapter_becomes_ready_and_serves(
    server: Server, folder: Path, config: ModelConfig
) -> None:
    made = await create(server, description="Of my own", public=True)
    assert (made["name"], made["state"], made["kind"]) == (NAME, "UPLOADING", "HF_PEFT_ADDON")
    assert (made["description"], made["public"]) == ("Of my own", True)
    assert (await server.refused("/models/mine:getDownloadEndpoint", method="GET"))[0] == 400
    place = {"baseModel": NAME, "deploymentShape": "default"}
    assert (await server.refused("/deployments", place, deploymentId="d"))[0] == 404
    await upload(server, folder)
    config_only = await server.get("/models/mine:validateUpload", configOnly="true")
    assert (len(config_only["warnings"]), (await server.get("/models/mine"))["state"]) == (1, "UPLOADING")
    assert await server.get("/models/mine:validateUpload") == {"warnings": []}
    ready = await server.get("/models/mine")
    assert (ready["state"], ready["peftDetails"]["r"]) == ("READY", 4)
    assert len(ready["peftDetails"]["targetModules"]) == 7
    assert await server.post("/models/mine:prepare", {"precision": "BF16"}) == {}
    assert (await server.post("/deployments", place, deploymentId="d"))["baseModel"] == NAME
    status, message = await server.refused("/models/mine", method="DELETE")
    assert (status, "active deployments" in message) == (400, True)
    urls = (await server.get("/models/mine:getDownloadEndpoint"))["filenameToSignedUrls"]
    del server.http.headers["Authorization"]
    assert (await server.http.get(urls[SETTINGS])).content == (folder / SETTINGS).read_bytes()
    row = server.service.store.get(NAME)
    assert row is not None
    assert load_adapter(Path(row.private["adapter"]), config)["q"]["a"].shape[-1] == 4


async def test_modules_that_an_adapter_leaves_alone_stay_as_they_are(
    server: Server, folder: Path, config: ModelConfig
) -> None:
    tensors = {name: value for name, value in load_file(folder / TENSORS).items() if "q_proj" in name}
    save_file(tensors, folder / TENSORS)
    change(folder, target_modules=["q_proj"])
    await create(server)
    await upload(server, folder)
    assert len((await server.get("/models/mine:validateUpload"))["warnings"]) == 6
    row = server.service.store.get(NAME)
    assert row is not None
    assert row.body["peftDetails"]["targetModules"] == ["q_proj"]
    adapter = load_adapter(Path(row.private["adapter"]), config)
    assert not np.any(adapter["down"]["b"])
    assert np.any(adapter["q"]["a"])


@pytest.mark.parametrize(
    ("settings", "tensor", "said"),
    [
        ({"r": 8}, "", "ask for"),
        ({"r": None}, "", "no whole number r"),
        ({"peft_type": "IA3"}, "", "only LORA"),
        ({}, "base_model.model.model.layers.99.self_attn.q_proj.lora_A.weight", "has no place"),
        ({}, "-base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", "is missing"),
    ],
)
async def test_what_does_not_fit_the_base_is_refused(
    server: Server, folder: Path, settings: dict[str, Any], tensor: str, said: str
) -> None:
    tensors = load_file(folder / TENSORS)
    if tensor.startswith("-"):
        del tensors[tensor[1:]]
    elif tensor:
        tensors[tensor] = np.zeros((4, 4), np.float32)
    save_file(tensors, folder / TENSORS)
    change(folder, **settings)
    await create(server)
    await upload(server, folder)
    status, message = await server.refused("/models/mine:validateUpload", method="GET")
    assert (status, said in message) == (400, True), message
    assert (await server.get("/models/mine"))["state"] == "UPLOADING"


@pytest.mark.parametrize("missing", [SETTINGS, TENSORS])
async def test_both_files_are_needed(server: Server, folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    await create(server)
    assert (
        "not all registered files" in (await server.refused("/models/mine:validateUpload", method="GET"))[1]
    )
    await upload(server, folder)
    status, message = await server.refused("/models/mine:validateUpload", method="GET")
    assert (status, f"{missing} is missing" in message) == (400, True)


@pytest.mark.parametrize(
    ("model", "status", "said"),
    [
        ({"kind": "HF_BASE_MODEL"}, 501, "only HF_PEFT_ADDON"),
        ({"peftDetails": {"baseModel": "bare"}}, 400, "full name"),
        ({"peftDetails": {"baseModel": "accounts/fireworks/models/none"}}, 404, "not found"),
        ({"peftDetails": {"baseModel": "accounts/fireworks/models/standin-judge"}}, 400, "no model"),
        ({"displayName": "x" * 64}, 400, "display_name"),
        ({"description": "x" * 1000}, 400, "description"),
    ],
)
async def test_what_could_not_be_served_is_not_created(
    server: Server, model: dict[str, Any], status: int, said: str
) -> None:
    given = {"peftDetails": {"baseModel": QWEN}, **model}
    refusal = await server.refused("/models", {"modelId": "mine", "model": given})
    assert (refusal[0], said in refusal[1]) == (status, True)


async def test_an_unfinished_model_can_be_deleted_and_its_id_is_taken_once(server: Server) -> None:
    await create(server)
    body = {"modelId": "mine", "model": {"peftDetails": {"baseModel": QWEN}}}
    assert (await server.refused("/models", body))[0] == 409
    assert (await server.refused("/models/mine:prepare"))[0] == 400
    assert (await server.http.delete("/v1/" + NAME)).json() == {}
    assert (await server.refused("/models/mine", method="GET"))[0] == 404
