"""The methods of the official SDK, found by looking at it, and those that local Fireworks does not offer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from fireworks import Fireworks

UNSUPPORTED = {
    "api_keys": "keys belong to people, who are no part of a rehearsal: any key is accepted",
    "messages": "the form of another provider for what chat.completions offers",
    "reinforcement_fine_tuning_jobs": "reinforcement fine-tuning is outside the portal's workflows",
    "reinforcement_fine_tuning_steps": "reinforcement fine-tuning is outside the portal's workflows",
    "secrets": "hold credentials of outside stores, which a rehearsal never calls",
    "users": "people are no part of a rehearsal",
}


def _walk(resource: Any, name: str) -> Iterator[tuple[str, Any]]:
    for part, member in vars(type(resource)).items():
        if part.startswith(("_", "with_")):
            continue
        if isinstance(member, cached_property):
            yield from _walk(getattr(resource, part), f"{name}{part}.")
        elif inspect.isfunction(member) and name:
            yield f"{name}{part}", member


def all_methods() -> dict[str, Any]:
    """Functions by name: "datasets.create", "chat.completions.create"."""
    with Fireworks(api_key="none", account_id="none") as client:
        return dict(_walk(client, ""))


def reason(method: str) -> str:
    """Why a method is not offered; "" when it is."""
    return UNSUPPORTED.get(method) or UNSUPPORTED.get(method.partition(".")[0], "")


def required(function: Any) -> list[inspect.Parameter]:
    """What a caller must give, without the resource itself."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return [one for one in parameters if one.default is inspect.Parameter.empty]


def resolve(client: Any, method: str) -> Any:
    for part in method.split("."):
        client = getattr(client, part)
    return client
