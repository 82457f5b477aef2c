"""LoRA (arXiv:2106.09685) on every linear layer, in the file layout that PEFT and Fireworks use.

An adapter is {name: {"a": [L, in, r], "b": [L, r, out], "scale": [L]}}; its effect is scale * (x @ a) @ b
with scale = alpha / r and alpha = 2 * r, so the effect of one learning rate stays comparable between ranks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from localfireworks.engine.config import LINEAR_NAMES, ModelConfig, linear_shapes

Tree = dict[str, Any]
ALPHA_PER_RANK = 2.0
TENSOR = "base_model.model.model.layers.{index}.{module}.lora_{side}.weight"


def init_lora(config: ModelConfig, rank: int, seed: int) -> Tree:
    """A fresh adapter: A normal with 1/sqrt(in), B zero, so that training starts at the base model."""
    depth, draw = config.num_hidden_layers, np.random.default_rng(seed)
    adapter: Tree = {}
    for name, (fan_in, fan_out) in linear_shapes(config).items():
        adapter[name] = {
            "a": draw.normal(0, fan_in**-0.5, (depth, fan_in, rank)).astype(np.float32),
            "b": np.zeros((depth, rank, fan_out), np.float32),
            "scale": np.full(depth, ALPHA_PER_RANK, np.float32),
        }
    return adapter


def merge(params: Tree, adapter: Tree) -> Tree:
    """Weights with the adapter added in: W + scale * A @ B (a "live merge")."""
    layers = dict(params["layers"])
    for name, part in adapter.items():
        update = np.einsum("lir,lro->lio", np.asarray(part["a"]), np.asarray(part["b"]))
        layers[name] = np.asarray(layers[name]) + update * np.asarray(part["scale"])[:, None, None]
    return {**params, "layers": layers}


def rank_of(adapter: Tree) -> int:
    return int(adapter["q"]["a"].shape[-1])


def save_adapter(folder: Path, adapter: Tree, base_name: str) -> None:
    """Write `adapter_model.safetensors` and `adapter_config.json` (PEFT names, [out, in] matrices)."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, np.ndarray] = {}
    for name, part in adapter.items():
        for index, (a, b) in enumerate(zip(np.asarray(part["a"]), np.asarray(part["b"]), strict=True)):
            module = LINEAR_NAMES[name]
            tensors[TENSOR.format(index=index, module=module, side="A")] = np.ascontiguousarray(a.T)
            tensors[TENSOR.format(index=index, module=module, side="B")] = np.ascontiguousarray(b.T)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    rank = rank_of(adapter)
    described = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_name,
        "r": rank,
        "lora_alpha": float(adapter["q"]["scale"][0]) * rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted(name.split(".")[1] for name in LINEAR_NAMES.values()),
    }
    (folder / "adapter_config.json").write_text(json.dumps(described, indent=2, sort_keys=True) + "\n")


def load_adapter(folder: Path, config: ModelConfig) -> Tree:
    """Read such a folder; ValueError when it was made for a model of another shape."""
    described = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    depth, scale = config.num_hidden_layers, described["lora_alpha"] / described["r"]
    adapter: Tree = {}
    for name, (fan_in, fan_out) in linear_shapes(config).items():
        module = LINEAR_NAMES[name]
        sides = {
            side: [
                tensors.get(TENSOR.format(index=index, module=module, side=side)) for index in range(depth)
            ]
            for side in "AB"
        }
        if any(part is None for parts in sides.values() for part in parts):
            raise ValueError(
                f"the adapter has no {module} for all {depth} layers: it belongs to another base model"
            )
        a = np.stack([part.astype(np.float32).T for part in sides["A"] if part is not None])
        b = np.stack([part.astype(np.float32).T for part in sides["B"] if part is not None])
        if a.shape[1] != fan_in or b.shape[2] != fan_out:
            raise ValueError(
                f"the adapter's {module} does not fit this base model: it belongs to another one"
            )
        adapter[name] = {"a": a, "b": b, "scale": np.full(depth, scale, np.float32)}
    return adapter
