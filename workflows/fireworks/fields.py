"""Reading raw resources tolerantly: int64 arrive as strings, zeros may be missing, words may be new."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


def text(raw: Mapping[str, Any], key: str) -> str:
    """The value as text, "" when absent."""
    value = raw.get(key)
    return "" if value is None else str(value)


def number(value: Any) -> float | None:
    """A finite number from a number or numeric string; None otherwise (NaN and null included)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def integer(raw: Mapping[str, Any], key: str) -> int | None:
    """A whole number from an int or an int64 string; None when absent or not whole."""
    value = raw.get(key)
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def flag(raw: Mapping[str, Any], key: str) -> bool | None:
    """A boolean, None when the field is absent (unknown is not false)."""
    value = raw.get(key)
    return value if isinstance(value, bool) else None


def mapping(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A nested object, {} when absent."""
    value = raw.get(key)
    return value if isinstance(value, Mapping) else {}


def moment(raw: Mapping[str, Any], key: str) -> datetime | None:
    """An RFC 3339 time with its zone; None when absent or unreadable."""
    value = raw.get(key)
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what was set: "" and None are left to the provider. 0 and False are kept."""
    return {key: value for key, value in values.items() if value is not None and value != ""}


@dataclass(frozen=True, slots=True)
class Status:
    """A resource's own `status`: code is an enum name, unlike the code of an error body (facts 1.5)."""

    code: str = ""
    message: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Status:
        """Read `raw["status"]`."""
        inner = mapping(raw, "status")
        return cls(text(inner, "code"), text(inner, "message"))
