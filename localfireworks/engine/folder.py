"""A Hugging Face Qwen3 folder: `config.json`, safetensors (one file or an index of several), tokenizer.

Checked from the headers alone, without JAX, so that a server can refuse a folder before it starts; every
fault is one line that names the file and the remedy.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from localfireworks.engine.config import ModelConfig, tensor_shapes

WINDOW = 4096  # most tokens of prompt and answer; a longer window of the model is not used
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
FLOATS = ("F32", "F16", "BF16")
FIXED = {"hidden_act": "silu", "attention_bias": False, "use_sliding_window": False}


class NotAModel(ValueError):
    """The folder cannot be used. Says in one line which file is at fault and what would help."""


@dataclasses.dataclass(frozen=True)
class ModelFolder:
    """A checked folder: its shape, where each tensor is, and how many numbers they hold."""

    path: Path
    config: ModelConfig
    files: Mapping[str, Path]
    parameters: int


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """A JSON object of the folder; NotAModel when it is absent or no such thing."""
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        raise NotAModel(f"{path} is missing: {remedy}") from None
    except (OSError, ValueError) as error:
        raise NotAModel(f"{path} cannot be read ({error}): {remedy}") from None
    if not isinstance(value, dict):
        raise NotAModel(f"{path} is not a JSON object: {remedy}")
    return value


def read_config(path: Path) -> ModelConfig:
    """The shape in a `config.json`; NotAModel for another architecture or a variant that is not built in."""
    remedy = "download the model again, or save it with save_pretrained"
    values = read_json(path, remedy)
    if values.get("model_type") != "qwen3":
        raise NotAModel(
            f"{path} describes a model of type {values.get('model_type')!r}: choose a dense Qwen3 model "
            '("model_type": "qwen3")'
        )
    for name, wanted in FIXED.items():
        if values.get(name, wanted) != wanted:
            raise NotAModel(f"{path} has {name} {values[name]!r}: choose a Qwen3 model with {wanted!r}")
    if values.get("quantization_config"):
        raise NotAModel(f"{path} has a quantization_config: choose the unquantized weights of the model")
    heads = values.get("num_attention_heads")
    known = {"max_position_embeddings": 32_768, "tie_word_embeddings": False} | values
    known |= {"rope_theta": rope_theta(values, path), "compute": "float32"}
    known["num_key_value_heads"] = known.get("num_key_value_heads") or heads
    known["head_dim"] = known.get("head_dim") or 128
    known["max_position_embeddings"] = min(int(known["max_position_embeddings"]), WINDOW)
    try:
        return ModelConfig.from_dict(known)
    except TypeError as error:
        raise NotAModel(f"{path} is incomplete ({error}): {remedy}") from None


def rope_theta(values: dict[str, Any], path: Path) -> float:
    """The base of the rotary angles, where older or newer files have it; scaled angles are refused."""
    given = values.get("rope_parameters") or values.get("rope_scaling") or {}
    kind = given.get("rope_type") or given.get("type") or "default"
    if kind != "default":
        raise NotAModel(f"{path} has rotary angles of type {kind!r}: remove rope_scaling to use the default")
    return float(given.get("rope_theta") or values.get("rope_theta") or 10_000.0)


def tensor_files(folder: Path) -> dict[str, Path]:
    """The file of every tensor."""
    if (folder / INDEX).exists():
        listed = read_json(folder / INDEX, "download the model again").get("weight_map")
        if not isinstance(listed, dict):
            raise NotAModel(f"{folder / INDEX} has no weight_map: download the model again")
        return {name: folder / str(file) for name, file in listed.items()}
    with opened(folder / SINGLE) as file:
        return dict.fromkeys(file.keys(), folder / SINGLE)


def opened(path: Path) -> Any:
    """An open safetensors file; NotAModel when it is absent or broken."""
    try:
        return safe_open(path, framework="np")
    except FileNotFoundError:
        raise NotAModel(f"{path} is missing: put the safetensors of the model there") from None
    except (OSError, SafetensorError) as error:
        raise NotAModel(f"{path} is not a whole safetensors file ({error}): download it again") from None


def check_folder(folder: Path) -> ModelFolder:
    """Look at everything but the numbers themselves; NotAModel names the first fault."""
    if not folder.is_dir():
        raise NotAModel(f"{folder} is not a folder: name the folder that has the model's config.json")
    config = read_config(folder / "config.json")
    if not (folder / "tokenizer.json").exists():
        raise NotAModel(f"{folder / 'tokenizer.json'} is missing: save the fast tokenizer of the model there")
    files = tensor_files(folder)
    wanted = tensor_shapes(config)
    for name in wanted:
        if name not in files:
            raise NotAModel(f"{folder}: no tensor {name} in its safetensors, which config.json asks for")
    parameters = 0
    for path in sorted({files[name] for name in wanted}):
        with opened(path) as file:
            parameters += sum(
                check_tensor(file, path, name, wanted[name]) for name in wanted if files[name] == path
            )
    return ModelFolder(folder, config, {name: files[name] for name in wanted}, parameters)


def check_tensor(file: Any, path: Path, name: str, shape: tuple[int, ...]) -> int:
    """Numbers in one tensor, once its shape and kind were found right."""
    try:
        found = file.get_slice(name)
    except SafetensorError:
        raise NotAModel(f"{path} has no tensor {name}, against {INDEX}: download it again") from None
    if tuple(found.get_shape()) != shape:
        raise NotAModel(f"{path}: {name} is {found.get_shape()}, config.json asks for {list(shape)}")
    if found.get_dtype() not in FLOATS:
        raise NotAModel(f"{path}: {name} holds {found.get_dtype()}, choose weights in {', '.join(FLOATS)}")
    return int(np.prod(shape))


def read_tensors(folder: ModelFolder) -> dict[str, np.ndarray]:
    """All tensors by Hugging Face name, in the precision of the files."""
    tensors: dict[str, np.ndarray] = {}
    for path in sorted(set(folder.files.values())):
        with opened(path) as file:
            tensors |= {name: file.get_tensor(name) for name, place in folder.files.items() if place == path}
    return tensors
