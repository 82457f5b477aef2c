"""A specification as one instruction; `sessions.instructions.read` reads it back to the same values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sessions.specification.catalogue import short_name
from sessions.specification.entries import Specification
from sessions.specification.values import rate_text, words

_PARTS: dict[str, Callable[[Any], str]] = {
    "epochs": lambda n: f"Train each candidate for {n} {'epoch' if n == 1 else 'epochs'}.",
    "tuning_samples": lambda n: f"Use {n} samples for HP tuning.",
    "parallel_jobs": lambda n: f"Run up to {n} training {'job' if n == 1 else 'jobs'} in parallel.",
    "final_run": lambda yes: "Do the full-data final run." if yes else "Skip the full-data final run.",
    "deploy": lambda yes: "Deploy the final model." if yes else "Do not deploy the final model.",
    "evaluation_dataset": lambda name: f"Use {name} as the eval dataset.",
    "strategy": lambda _name: "Use validation loss for evaluation.",
    "heldout_rows": lambda n: f"Hold out {n} rows for evaluation.",
    "drop_bad_rows": lambda yes: "Drop bad rows." if yes else "Keep bad rows.",
    "seed": lambda n: f"Use seed {n}.",
    "title": lambda text: f"Call the run “{text}”.",
}


def _first(spec: Specification) -> str:
    said = ["Run supervised fine-tuning"]
    if dataset := spec.value("dataset"):
        said.append(f"on {dataset}")
    if models := spec.value("base_models"):
        said.append(f"across {words([short_name(model) for model in models])}")
    if grid := list(_grid(spec)):
        said.append(f"with {words(grid)}")
    return f"{' '.join(said)}."


def _grid(spec: Specification) -> Iterator[str]:
    if rates := spec.value("learning_rates"):
        yield f"learning rate{'s' * (len(rates) > 1)} {words([rate_text(rate) for rate in rates])}"
    if ranks := spec.value("lora_ranks"):
        yield f"LoRA rank{'s' * (len(ranks) > 1)} {words([str(rank) for rank in ranks])}"


def sentence(spec: Specification) -> str:
    """What a person decided, as an instruction in plain English. Nothing said gives an empty string."""
    decided = spec.by_person()
    if not decided.entries:
        return ""
    rest = [part(decided.value(name)) for name, part in _PARTS.items() if decided.value(name) is not None]
    return " ".join([_first(decided), *rest])
