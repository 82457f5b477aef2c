"""Where pytest is not installed: marks that do nothing, as evaluators carry them beside their decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def nothing(*given: Any, **_options: Any) -> Any:
    """A decorator, with or without arguments."""
    if len(given) == 1 and callable(given[0]) and not _options:
        return given[0]

    def same(function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    return same


class Marks:
    """`pytest.mark.anything`."""

    def __getattr__(self, name: str) -> Any:
        return nothing


mark = Marks()
fixture = param = nothing
