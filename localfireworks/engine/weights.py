"""Weights between this engine's stacked tree and safetensors under the Hugging Face names of Qwen3."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load_file, save_file

from localfireworks.engine.chat import Renderer
from localfireworks.engine.config import LINEAR_NAMES, NORM_NAMES, STANDINS, WEIGHTS, ModelConfig
from localfireworks.engine.folder import check_folder, read_tensors
from localfireworks.engine.template import TemplateRenderer, own_renderer
from localfireworks.engine.tokens import load_tokenizer

Tree = dict[str, Any]


def to_tensors(params: Tree, dtype: Any = np.float16) -> dict[str, np.ndarray]:
    """Tensors by Hugging Face name; matrices turned to [out, in] as PyTorch keeps them."""
    tensors = {"model.embed_tokens.weight": params["embed"], "model.norm.weight": params["norm"]}
    if "head" in params:
        tensors["lm_head.weight"] = np.asarray(params["head"]).T
    for ours, name in LINEAR_NAMES.items():
        for index, matrix in enumerate(np.asarray(params["layers"][ours])):
            tensors[f"model.layers.{index}.{name}.weight"] = matrix.T
    for ours, name in NORM_NAMES.items():
        for index, vector in enumerate(np.asarray(params["layers"][ours])):
            tensors[f"model.layers.{index}.{name}.weight"] = vector
    return {name: np.ascontiguousarray(np.asarray(value), dtype=dtype) for name, value in tensors.items()}


def from_tensors(tensors: dict[str, np.ndarray], config: ModelConfig) -> Tree:
    """The stacked float32 tree of a tensor mapping. KeyError names a tensor that is missing."""

    def stack(name: str, transpose: bool) -> np.ndarray:
        names = [f"model.layers.{index}.{name}.weight" for index in range(config.num_hidden_layers)]
        parts = [tensors[each].astype(np.float32) for each in names]
        return np.stack([part.T for part in parts] if transpose else parts)

    layers = {ours: stack(name, True) for ours, name in LINEAR_NAMES.items()}
    layers |= {ours: stack(name, False) for ours, name in NORM_NAMES.items()}
    params: Tree = {
        "embed": tensors["model.embed_tokens.weight"].astype(np.float32),
        "norm": tensors["model.norm.weight"].astype(np.float32),
        "layers": layers,
    }
    if not config.tie_word_embeddings:
        params["head"] = np.ascontiguousarray(tensors["lm_head.weight"].astype(np.float32).T)
    return params


def save_model(folder: Path, params: Tree, config: ModelConfig, dtype: Any = np.float16) -> None:
    """Write `model.safetensors` and `config.json` as a Hugging Face Qwen3 folder has them."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(to_tensors(params, dtype), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config.to_dict(), indent=2, sort_keys=True) + "\n")


def load_model(folder: Path) -> tuple[Tree, ModelConfig]:
    """Read such a folder into float32 arrays."""
    config = ModelConfig.read(folder / "config.json")
    return from_tensors(load_file(folder / "model.safetensors"), config), config


def load_standin(name: str) -> tuple[Tree, ModelConfig]:
    """The shipped weights of a stand-in: "small", "medium" or "large"; ValueError for another name."""
    if name not in STANDINS:
        raise ValueError(f"unknown stand-in {name!r}: choose one of {', '.join(STANDINS)}")
    return load_model(WEIGHTS / name)


class Base(NamedTuple):
    """A base model: weights (float32 arrays), shape, and what turns conversations into its tokens."""

    params: Tree
    config: ModelConfig
    renderer: Renderer | TemplateRenderer


def load_base(spec: str, compute: str = "float32") -> Base:
    """The base model that `spec` names: a stand-in, or the path of a Hugging Face Qwen3 folder.

    `compute` is the precision of matrix products, "float32" or "bfloat16". ValueError says in one line why a
    model cannot be had.
    """
    if spec in STANDINS or "/" not in spec:
        params, config = load_standin(spec)
        renderer: Renderer | TemplateRenderer = Renderer(load_tokenizer())
    else:
        folder = check_folder(Path(spec))
        params, config, renderer = (
            from_tensors(read_tensors(folder), folder.config),
            folder.config,
            own_renderer(folder),
        )
    return Base(params, dataclasses.replace(config, compute=compute), renderer)
