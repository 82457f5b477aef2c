"""What every database takes: PostgreSQL refuses a NUL and half a surrogate pair, in text as in JSON."""

from __future__ import annotations

from typing import Any


def text(found: str) -> str:
    """The text with every NUL and half pair replaced."""
    return found.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def json(found: Any) -> Any:
    """A JSON value with every string in it made storable, keys too."""
    match found:
        case str():
            return text(found)
        case dict():
            return {json(key): json(value) for key, value in found.items()}
        case list() | tuple():
            return [json(each) for each in found]
    return found
