"""Creating something once: post under an id of ours; on "exists" or a lost answer, fetch and compare.

The API has no idempotency keys; only client-chosen ids make a create safe to repeat (facts sheet 1.7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .errors import AlreadyExists, Conflict, NotFound, OutcomeUnknown, Temporary
from .fields import number
from .names import short
from .retrying import Retries, attempt
from .wire import Json

Post = Callable[[], Json]
Get = Callable[[], Json]


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values mean the same: 1 and "1", `m` and `accounts/a/models/m`, sub-objects by field."""
    if isinstance(ours, Mapping):
        return isinstance(theirs, Mapping) and all(same(ours[key], theirs.get(key)) for key in ours)
    if ours == theirs or (theirs is None and not ours):  # proto leaves zero values out
        return True
    mine, other = number(ours), number(theirs)
    if mine is not None and other is not None:
        return mine == other
    if isinstance(ours, str) and isinstance(theirs, str) and ("/" in ours) != ("/" in theirs):
        return short(ours) == short(theirs)
    return False


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], required: tuple[str, ...]) -> list[str]:
    """Fields of `ours` that the existing resource contradicts.

    A field that it does not show at all counts only when it is `required`: servers leave fields out.
    """
    found = []
    for key, value in ours.items():
        absent = theirs.get(key) is None
        if (absent and key in required) or (not absent and not same(value, theirs[key])):
            found.append(f"{key} is {theirs.get(key)!r}, not {value!r}")
    return found


def create_once(
    name: str, wanted: Mapping[str, Any], required: tuple[str, ...], post: Post, get: Get, retries: Retries
) -> tuple[Json, bool]:
    """Create `name` or adopt what an earlier, lost attempt of ours created: (resource, whether adopted).

    Raises `Conflict` when the name is taken by another configuration, `OutcomeUnknown` when even the
    look afterwards gives no answer or the create stays lost.
    """

    def once() -> tuple[Json, bool]:
        try:
            return post(), False
        except AlreadyExists:
            return _adopt(name, wanted, required, _taken(name, get)), True
        except OutcomeUnknown as lost:
            try:
                return _adopt(name, wanted, required, get()), True
            except (NotFound, Temporary):
                raise lost from None

    return attempt(once, retries, lambda error: isinstance(error, OutcomeUnknown))


def _taken(name: str, get: Get) -> Json:
    try:
        return get()
    except NotFound as gone:
        raise Conflict(name, ["it is taken but cannot be read (deleted ids stay taken)"]) from gone


def _adopt(name: str, wanted: Mapping[str, Any], required: tuple[str, ...], found: Json) -> Json:
    unequal = differences(wanted, found, required)
    if unequal:
        raise Conflict(name, unequal)
    return found
