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


def differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], required: tuple[str, ...], within: str = ""
) -> list[str]:
    """Fields of `ours` that the existing resource contradicts; fields of objects as "lossConfig.method".

    A field that it does not show at all counts only when it is `required`: servers leave fields out.
    """
    found = []
    for key, value in ours.items():
        other, path = theirs.get(key), f"{within}{key}"
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            found += differences(value, other, required, f"{path}.")
        elif (other is None and _is_required(path, required)) or (
            other is not None and not same(value, other)
        ):
            found.append(f"{path} is {other!r}, not {value!r}")
    return found


def _is_required(path: str, required: tuple[str, ...]) -> bool:
    return any(name == path or name.startswith(f"{path}.") for name in required)


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
