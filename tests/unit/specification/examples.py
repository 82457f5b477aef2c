"""A catalogue of real model ids, as the facts sheet lists them."""

from __future__ import annotations

from sessions.specification import Context, ModelName

_TEXT = """
    qwen3-0p6b ministral-3-3b-instruct-2512 llama-v3p2-3b-instruct qwen3-4b-instruct-2507 qwen3-8b
    llama-v3p1-8b-instruct qwen3p5-9b qwen3-14b mistral-small-24b-instruct-2501 gemma-4-26b-a4b-it
    qwen3p5-27b qwen3p6-27b nemotron-nano-3-30b-a3b gemma-4-31b-it qwen2p5-32b-instruct qwen3-32b
    qwen3p5-35b-a3b qwen3p6-35b-a3b llama-v3p3-70b-instruct nemotron-3-super-120b-a12b-bf16
    qwen3-235b-a22b-instruct-2507 deepseek-v4-flash qwen3p5-397b-a17b minimax-m3 glm-5p1 glm-5p2-fp8
    kimi-k2p5 kimi-k2p6 kimi-k2p7-code deepseek-v4-pro-0813 kimi-k3
"""
IDS = _TEXT.split()
CATALOGUE = tuple(
    ModelName(f"accounts/fireworks/models/{each}", each.replace("-", " ").title()) for each in IDS
)
CONTEXT = Context(CATALOGUE, "me")


def full(*ids: str) -> tuple[str, ...]:
    return tuple(f"accounts/fireworks/models/{each}" for each in ids)
