"""JSON as the inference half takes it: strict, of proper text, and not nested without measure."""

from __future__ import annotations

from typing import Any

import orjson

DEEPEST = 64  # levels; schemas, templates and validators all walk a body recursively


def read_json(raw: bytes | str) -> Any:
    """The value; ValueError for what is no JSON (NaN and lone surrogates are none) or is nested too deep."""
    value = orjson.loads(raw)
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return value
    raise ValueError(f"nested more than {DEEPEST} levels deep")


def _inside(value: Any) -> list[Any]:
    """The lists and objects right inside a value."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return []
    return [each for each in value if isinstance(each, dict | list)]
