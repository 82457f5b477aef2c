"""A JSON schema inferred from answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

MOST_VALUES = 8  # a text field with so few values, each seen several times, may have these alone
TIMES_SEEN = 4


def type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
    return "null"


def containers(texts: Sequence[Any]) -> list[Any] | None:
    """The objects or lists that all these answers are; None when one is not."""
    found = []
    for text in texts:
        try:
            value = json.loads(text) if isinstance(text, str) else text
        except ValueError:
            return None
        if not isinstance(value, dict | list):
            return None
        found.append(value)
    return found or None


def inferred(values: Sequence[Any]) -> dict[str, Any]:
    """The narrowest simple schema that all values fit: types, fields, required fields, few known texts."""
    names = sorted({type_of(each) for each in values})
    if "number" in names and "integer" in names:
        names.remove("integer")
    schema: dict[str, Any] = {"type": names[0] if len(names) == 1 else names}
    objects = [each for each in values if isinstance(each, dict)]
    if objects:
        fields = sorted({name for each in objects for name in each})
        schema["properties"] = {
            name: inferred([each[name] for each in objects if name in each]) for name in fields
        }
        schema["required"] = [name for name in fields if all(name in each for each in objects)]
    if items := [item for each in values if isinstance(each, list) for item in each]:
        schema["items"] = inferred(items)
    if names == ["string"] and (known := few(values)):
        schema["enum"] = known
    return schema


def few(values: Sequence[str]) -> list[str]:
    """The distinct values where they are few and each was seen several times."""
    distinct = sorted(set(values))
    often = len(values) >= TIMES_SEEN * len(distinct)
    return distinct if often and len(distinct) <= MOST_VALUES else []
