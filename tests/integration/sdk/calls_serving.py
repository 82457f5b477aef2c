"""Deployments, models loaded onto them, and inference."""

from __future__ import annotations

from typing import Any

from tests.integration.sdk.table import AT, LIST, PLACE, QWEN, TUNED, Case, ours, sdk
from workflows.fireworks import deployed_models, deployments, inference

_PLACES, _LOADED = f"{AT}/deployments", f"{AT}/deployedModels"
MERGED = deployments.Wanted(TUNED, "winner", max_context_length=8192)
OPEN = deployments.Wanted(QWEN, accelerator_type="NVIDIA_H100_80GB", accelerator_count=1, addons=True)
SCALED = {
    "min_replica_count": 0,
    "max_replica_count": 1,
    "autoscaling_policy": {"scale_to_zero_window": "300s"},
}
MERGED_ASKED = {
    "base_model": TUNED,
    "display_name": "winner",
    "max_context_length": 8192,
    "deployment_shape": "default",
    **SCALED,
}
DEPLOYMENTS = (
    Case("GET", _PLACES, ours(deployments.list_all), sdk("deployments.list", **LIST), "6.2"),
    Case("GET", f"{_PLACES}/{{deployment}}", ours(deployments.get, "p"), sdk("deployments.get", "p"), "6.2"),
    Case(
        "POST",
        _PLACES,
        ours(deployments.create, "p", MERGED),
        sdk("deployments.create", deployment_id="p", **MERGED_ASKED),
        "6.1",
    ),
    Case(
        "POST",
        _PLACES,
        ours(deployments.create, "p", OPEN),
        sdk(
            "deployments.create",
            deployment_id="p",
            base_model=QWEN,
            enable_addons=True,
            accelerator_type="NVIDIA_H100_80GB",
            accelerator_count=1,
            **SCALED,
        ),
        "6.1",
        label="for several LoRAs",
    ),
    Case(
        "POST",
        _PLACES,
        ours(deployments.validate_only, MERGED),
        sdk("deployments.create", validate_only=True, **MERGED_ASKED),
        "6.1",
        label="only asked",
    ),
    Case(
        "PATCH",
        f"{_PLACES}/{{deployment}}:scale",
        ours(deployments.scale, "p", 0),
        sdk("deployments.scale", "p", replica_count=0),
        "6.2",
    ),
    Case(
        "DELETE",
        f"{_PLACES}/{{deployment}}",
        ours(deployments.delete, "p"),
        sdk("deployments.delete", "p", ignore_checks=True),
        "6.2",
    ),
    Case("GET", _LOADED, ours(deployed_models.list_all), sdk("lora.list", **LIST), "6.3"),
    Case("GET", f"{_LOADED}/{{model}}", ours(deployed_models.get, "m"), sdk("lora.get", "m"), "6.3"),
    Case(
        "POST",
        _LOADED,
        ours(deployed_models.load, TUNED, PLACE, "winner"),
        sdk("lora.load", model=TUNED, deployment=PLACE, display_name="winner", serverless=False),
        "6.3",
    ),
    Case(
        "POST",
        _LOADED,
        ours(deployed_models.load, TUNED, PLACE, replace_merged=True),
        sdk("lora.load", model=TUNED, deployment=PLACE, serverless=False, replace_merged_addon=True),
        "6.3",
        label="in place of a merged one",
    ),
    Case("DELETE", f"{_LOADED}/{{model}}", ours(deployed_models.unload, "m"), sdk("lora.unload", "m"), "6.3"),
)

ASKED = [{"role": "user", "content": "Grüße?"}]
CHOICE = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": TUNED,
    "choices": [CHOICE],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": {"type": "object"}}}
BODY = inference.chat_body(ASKED, max_tokens=8, seed=7, reasoning_effort="none", response_format=SCHEMA, n=2)
CHAT_ASKED: dict[str, Any] = {
    "messages": ASKED,
    "max_tokens": 8,
    "temperature": 0.0,
    "context_length_exceeded_behavior": "error",
}
CHAT = "/inference/v1/chat/completions"
INFERENCE = (
    Case(
        "POST",
        CHAT,
        ours(inference.complete, BODY, inference.addresses(TUNED)),
        sdk(
            "chat.completions.create",
            model=TUNED,
            seed=7,
            reasoning_effort="none",
            response_format=SCHEMA,
            n=2,
            **CHAT_ASKED,
        ),
        "7.1",
        answers={f"POST {CHAT}": ANSWER},
    ),
    Case(
        "POST",
        CHAT,
        ours(
            inference.complete,
            inference.chat_body(ASKED, max_tokens=8),
            inference.addresses(TUNED, PLACE)[3:],
        ),
        sdk(
            "chat.completions.create",
            model=TUNED,
            extra_headers={"fireworks-deployment": PLACE},
            **CHAT_ASKED,
        ),
        "6.4",
        label="deployment in a header",
        answers={f"POST {CHAT}": ANSWER},
    ),
)

CASES = (*DEPLOYMENTS, *INFERENCE)
