"""The answer must be JSON of the known shape, with the expected values where they count."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# settings
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
COMPARE_VALUES = True

# rule
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n\s*```\s*$", re.DOTALL)


def parsed(text: str) -> Any:
    """The JSON of a text, also out of a code fence. Raises ValueError."""
    fenced = FENCE.match(text)
    return json.loads(fenced.group(1) if fenced else text)


def is_of(value: Any, name: str) -> bool:
    wrong_bool = isinstance(value, bool) and name in {"number", "integer"}
    return isinstance(value, TYPES[name]) and not wrong_bool


def faults(value: Any, schema: dict[str, Any], place: str = "$") -> Iterator[str]:
    """What in a value is not as the schema says."""
    allowed = schema.get("type", [])
    names = [allowed] if isinstance(allowed, str) else allowed
    if names and not any(is_of(value, name) for name in names):
        yield f"{place} is not of type {' or '.join(names)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} is not one of the known values"
    if isinstance(value, dict):
        yield from (f"{place}.{name} is missing" for name in schema.get("required", []) if name not in value)
        known = schema.get("properties", {})
        for name, each in value.items():
            if name in known:
                yield from faults(each, known[name], f"{place}.{name}")
            elif known:
                yield f"{place}.{name} is not a known field"
    if isinstance(value, list) and "items" in schema:
        for at, each in enumerate(value):
            yield from faults(each, schema["items"], f"{place}[{at}]")


def leaves(value: Any, place: str = "$") -> Iterator[tuple[str, Any]]:
    """Every single value with its place."""
    if isinstance(value, dict) and value:
        for name in value:
            yield from leaves(value[name], f"{place}.{name}")
    elif isinstance(value, list) and value:
        for at, each in enumerate(value):
            yield from leaves(each, f"{place}[{at}]")
    else:
        yield place, value


def compare(answer: str, expected: Any) -> tuple[float, str]:
    """0 for what is no such JSON; else the share of expected values that are there."""
    try:
        given = parsed(answer)
    except ValueError:
        return 0.0, "the answer is not JSON"
    wrong = list(faults(given, SCHEMA))
    if wrong:
        return 0.0, "; ".join(wrong[:5])
    if not COMPARE_VALUES:
        return 1.0, "JSON of the expected shape"
    wanted = dict(leaves(parsed(expected) if isinstance(expected, str) else expected))
    found = dict(leaves(given))
    other = [
        place for place in {**wanted, **found} if wanted.get(place, KeyError) != found.get(place, KeyError)
    ]
    every = len({**wanted, **found})
    right = every - len(other)
    return right / every, "the same values" if not other else f"other values in {', '.join(other[:5])}"


# trial
def spoil(answer: str) -> str:
    """The same JSON cut short."""
    return answer.rstrip()[:-1]
