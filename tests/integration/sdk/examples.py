"""How each method of the SDK is asked, and what a right answer is.

Each function gives the arguments and a test of the answer: an object as the SDK reads it, for a list all its
items over all pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.sdk.world import World

Check = Callable[[Any], Any]


@dataclass(frozen=True)
class Asked:
    """Arguments of a call and the test of its answer, which is true for a right one."""

    given: tuple[Any, ...]
    named: dict[str, Any]
    right: Check


EXAMPLES: dict[str, Callable[[World], Asked]] = {}


def example(method: str) -> Callable[[Callable[[World], Asked]], Callable[[World], Asked]]:
    """Register the example of a method, as "datasets.create"."""

    def keep(make: Callable[[World], Asked]) -> Callable[[World], Asked]:
        assert method not in EXAMPLES, f"{method} has two examples"
        EXAMPLES[method] = make
        return make

    return keep


def ask(right: Check, *given: Any, **named: Any) -> Asked:
    return Asked(given, named, right)


def has(name: str) -> Check:
    """A list that holds the thing of this full name, once."""
    return lambda items: [item.name for item in items].count(name) == 1


def is_named(name: str, **fields: Any) -> Check:
    return lambda one: one.name == name and all(getattr(one, key) == value for key, value in fields.items())


def is_empty(answer: Any) -> bool:
    return answer == {}
