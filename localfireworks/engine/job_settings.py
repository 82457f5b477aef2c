"""What `job.json` says, typed; see `job.py` for the contract."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any


class JobError(ValueError):
    """A fault of the request or its data. `code` and `reason` are words of the Fireworks API."""

    def __init__(self, message: str, reason: str = "DATASET_INVALID", code: str = "INVALID_ARGUMENT") -> None:
        super().__init__(message)
        self.reason, self.code = reason, code


KINDS, METHODS = ("sft", "dpo"), ("DPO", "ORPO")


@dataclasses.dataclass(frozen=True)
class JobSettings:
    """One job. Zero means "none" for `token_budget` and "choose" for nothing else.

    `standin` names a stand-in or is the path of a Hugging Face folder (see `weights.load_base`), `compute` is
    the precision of its matrix products. `method`, `beta` (of DPO) and `orpo_lambda` belong to jobs of kind
    "dpo".
    """

    standin: str
    dataset: tuple[Path, ...]
    evaluation_dataset: tuple[Path, ...] = ()
    adapter: Path | None = None
    epochs: int = 1
    learning_rate: float = 1e-4
    lora_rank: int = 8
    max_context_length: int | None = None
    batch_size_samples: int | None = None
    scheduler: str = "linear"
    min_lr_ratio: float = 0.0
    decay_ratio: float = 1.0
    warmup_steps: int = 0
    weight_decay: float = 0.0
    seed: int = 42
    token_budget: int = 0
    eval_carveout: bool = False
    cache_dir: Path | None = None
    compute: str = "float32"
    kind: str = "sft"
    method: str = "DPO"
    beta: float = 0.1
    orpo_lambda: float = 1.0

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> JobSettings:
        """Read the fields of `job.json`; JobError for what this engine cannot train."""
        kind, least, share = read_scheduler(values.get("lr_scheduler"))
        same = {"epochs", "learning_rate", "lora_rank", "max_context_length", "batch_size_samples"}
        same |= {"warmup_steps", "weight_decay", "seed", "token_budget", "eval_carveout"}
        same |= {"kind", "compute", "method", "beta", "orpo_lambda"}
        settings = cls(
            standin=values["base"]["standin"],
            dataset=paths(values["dataset"]),
            evaluation_dataset=paths(values.get("evaluation_dataset")),
            adapter=Path(values["adapter"]) if values.get("adapter") else None,
            scheduler=kind,
            cache_dir=Path(values["cache_dir"]) if values.get("cache_dir") else None,
            min_lr_ratio=least,
            decay_ratio=share,
            **{name: values[name] for name in same if values.get(name) is not None},
        )
        settings.check()
        return settings

    def check(self) -> None:
        """JobError naming the first value that cannot be used."""
        if self.kind not in KINDS:
            raise JobError(f"unknown kind of job {self.kind!r}: use {' or '.join(KINDS)}", "KIND_INVALID")
        if self.method not in METHODS:
            raise JobError(f"unknown method {self.method!r}: use {' or '.join(METHODS)}", "SETTING_INVALID")
        for name in ("epochs", "learning_rate", "lora_rank", "beta", "orpo_lambda"):
            if not getattr(self, name) > 0:
                raise JobError(f"{name} is {getattr(self, name)}: it must be above 0", "SETTING_INVALID")
        if self.batch_size_samples is not None and self.batch_size_samples < 1:
            raise JobError("batch_size_samples must be at least 1", "SETTING_INVALID")


def paths(value: str | list[str] | None) -> tuple[Path, ...]:
    return tuple(Path(each) for each in ([value] if isinstance(value, str) else value or []))


def read_scheduler(value: dict[str, Any] | None) -> tuple[str, float, float]:
    """`{"cosine": {"minLrRatio": 0.1, "decayRatio": 0.5}}` as ("cosine", 0.1, 0.5); none: linear to 0."""
    if not value:
        return "linear", 0.0, 1.0
    kind, options = next(iter(value.items()))
    if kind not in ("constant", "linear", "cosine"):
        raise JobError(f"unknown lrScheduler {kind!r}: use constant, linear or cosine", "SETTING_INVALID")
    given = options or {}
    return kind, float(given.get("minLrRatio") or 0.0), float(given.get("decayRatio") or 1.0)
