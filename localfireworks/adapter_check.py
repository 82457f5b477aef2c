"""Take over an uploaded PEFT adapter: check it against its base model, fill in what it leaves alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS, TENSORS = "adapter_config.json", "adapter_model.safetensors"


class BadAdapter(ValueError):
    """The files are no adapter for this base model; says why in one line."""


@dataclass(frozen=True)
class Settings:
    """What `adapter_config.json` says."""

    rank: int
    alpha: float
    modules: list[str]


def check_settings(folder: Path, wanted_rank: int) -> Settings:
    """The settings of an uploaded folder; `wanted_rank` 0: any."""
    if not (folder / SETTINGS).is_file():
        raise BadAdapter(f"{SETTINGS} is missing")
    try:
        given = json.loads((folder / SETTINGS).read_bytes())
        rank, alpha = int(given["r"]), float(given.get("lora_alpha", given["r"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadAdapter(f"{SETTINGS} has no whole number r: {error}") from error
    if rank < 1:
        raise BadAdapter(f"{SETTINGS} has the rank {rank}")
    if str(given.get("peft_type", "LORA")).upper() != "LORA":
        raise BadAdapter(f"{SETTINGS} is of peft_type {given['peft_type']}: only LORA can be served")
    if wanted_rank not in (0, rank):
        raise BadAdapter(f"the rank is {rank}, the model was created with {wanted_rank}")
    modules = given.get("target_modules")
    return Settings(rank, alpha, sorted(map(str, modules)) if isinstance(modules, list) else [])


def config_of(standin: str) -> Any:
    """The shape of a base model: of a shipped stand-in, or of a folder."""
    from localfireworks.engine.config import STANDINS, WEIGHTS, ModelConfig
    from localfireworks.engine.folder import check_folder

    if standin in STANDINS:
        return ModelConfig.read(WEIGHTS / standin / "config.json")
    return check_folder(Path(standin)).config


def take_over(folder: Path, target: Path, standin: str) -> list[str]:
    """Write the adapter as the engine reads it; gives warnings. BadAdapter when it is for another model."""
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save_file

    from localfireworks.engine.config import LINEAR_NAMES, linear_shapes
    from localfireworks.engine.lora import TENSOR, load_adapter

    if not (folder / TENSORS).is_file():
        raise BadAdapter(f"{TENSORS} is missing")
    config, settings = config_of(standin), check_settings(folder, 0)
    try:
        tensors = load_file(folder / TENSORS)
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise BadAdapter(f"{TENSORS} cannot be read: {error}") from error
    warnings, known = [], set()
    for name, (fan_in, fan_out) in linear_shapes(config).items():
        shapes = {"A": (settings.rank, fan_in), "B": (fan_out, settings.rank)}
        names = {
            (index, side): TENSOR.format(index=index, module=LINEAR_NAMES[name], side=side)
            for index in range(config.num_hidden_layers)
            for side in "AB"
        }
        known |= set(names.values())
        if not tensors.keys() & set(names.values()):
            warnings.append(f"{LINEAR_NAMES[name]} is left as in the base model")
            tensors |= {each: np.zeros(shapes[side], np.float32) for (_, side), each in names.items()}
        for (_, side), each in names.items():
            check_tensor(each, tensors.get(each), shapes[side])
    if foreign := sorted(tensors.keys() - known):
        raise BadAdapter(f"{foreign[0]} has no place in this base model")
    target.mkdir(parents=True, exist_ok=True)
    save_file(tensors, target / TENSORS, metadata={"format": "pt"})
    described = json.loads((folder / SETTINGS).read_bytes()) | {"lora_alpha": settings.alpha}
    (target / SETTINGS).write_text(json.dumps(described, indent=2, sort_keys=True) + "\n")
    load_adapter(target, config)
    return warnings


def check_tensor(name: str, found: Any, shape: tuple[int, int]) -> None:
    if found is None:
        raise BadAdapter(f"{name} is missing")
    if tuple(found.shape) != shape:
        raise BadAdapter(f"{name} is {list(found.shape)}, the base model and the rank ask for {list(shape)}")
