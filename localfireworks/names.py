"""Resource names and ids (fireworks-api.md, 1.2), times, durations."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from localfireworks.errors import invalid

ID = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
NAME = re.compile(r"accounts/([^/]+)/([A-Za-z]+)/([^/]+)")
DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
DISPLAY_NAME_LIMIT = 64


def check_id(value: str, field: str) -> str:
    """The id itself when it is legal, else INVALID_ARGUMENT."""
    if not ID.fullmatch(value) or value[0].isdigit():
        raise invalid(
            f"invalid {field} {value!r}: use 1 to 63 of a-z, 0-9 and '-', not beginning with a digit or '-', "
            "not ending with '-'"
        )
    return value


def new_id() -> str:
    """A server-made id: a letter, then hexadecimal."""
    return f"r{secrets.token_hex(6)}"


def resource_name(account: str, collection: str, id_: str) -> str:
    return f"accounts/{account}/{collection}/{id_}"


def full_name(value: str, collection: str, field: str) -> str:
    """The value when it is a full resource name of the collection, else INVALID_ARGUMENT."""
    match = NAME.fullmatch(value)
    if not match or match[2] != collection:
        raise invalid(f"invalid {field} {value!r}: give the full name, accounts/<account>/{collection}/<id>")
    return value


def check_display_name(value: str) -> str:
    if len(value) >= DISPLAY_NAME_LIMIT:
        raise invalid(
            f"invalid resource: display_name must be fewer than {DISPLAY_NAME_LIMIT} characters, "
            f"got {len(value)}"
        )
    return value


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_of(duration: str, field: str) -> float:
    """`"300s"` as 300.0."""
    match = DURATION.fullmatch(duration)
    if not match:
        raise invalid(f"invalid {field} {duration!r}: give seconds, such as 300s")
    return float(match[1])
