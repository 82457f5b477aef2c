"""Lists: page size, page token, filter, order, read mask (fireworks-api.md, 1.4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from localfireworks.errors import invalid
from localfireworks.filters import camel, column, compile_filter, value_at
from localfireworks.store import ORDERS, Entry, Shelf, Shown, Store

DEFAULT_PAGE, LARGEST_PAGE = 50, 200
MOST_DIGITS = 15
MOST_ORDERS = 8  # of one collection, kept in memory
BY_ID = attrgetter("row.id")
SORT_KEYS: dict[str, Callable[[Entry], Any]] = {
    "createTime": attrgetter("row.created"),
    "updateTime": attrgetter("row.updated"),
}
Item = TypeVar("Item")


def page_size(query: Mapping[str, str]) -> int:
    """50 when absent or 0; above 200 lowered to 200."""
    text = query.get("pageSize") or "0"
    if not text.isdecimal():
        raise invalid(f"invalid pageSize {text!r}: give a whole number from 1 to {LARGEST_PAGE}")
    digits = text.lstrip("0") or "0"
    return LARGEST_PAGE if len(digits) > MOST_DIGITS else min(int(digits) or DEFAULT_PAGE, LARGEST_PAGE)


def _digest(query: Mapping[str, str]) -> str:
    fixed = sorted((k, v) for k, v in query.items() if k in {"filter", "orderBy", "showDeleted"})
    return hashlib.sha256(repr(fixed).encode()).hexdigest()[:8]


def page_offset(query: Mapping[str, str]) -> int:
    """Where the page begins; INVALID_ARGUMENT when the other parameters changed between pages."""
    token = query.get("pageToken")
    if not token:
        return 0
    try:
        offset, digest = base64.urlsafe_b64decode(token.encode()).decode().split(".")
    except (binascii.Error, ValueError) as error:
        raise invalid("invalid pageToken: give the nextPageToken of the page before") from error
    if digest != _digest(query) or not offset.isdecimal() or len(offset) > MOST_DIGITS:
        raise invalid("invalid pageToken: filter and orderBy must stay the same between pages")
    return int(offset)


def next_token(query: Mapping[str, str], offset: int, total: int) -> str:
    if offset >= total:
        return ""
    return base64.urlsafe_b64encode(f"{offset}.{_digest(query)}".encode()).decode()


def read_mask(body: dict[str, Any], mask: str | None) -> dict[str, Any]:
    """Only the masked paths of a body; all of it for an empty mask or `*`."""
    if not mask or mask == "*":
        return body
    shown: dict[str, Any] = {}
    for path in mask.split(","):
        parts = [camel(part) for part in path.strip().split(".")]
        value = value_at(body, path.strip())
        if value is None:
            continue
        place = shown
        for part in parts[:-1]:
            place = place.setdefault(part, {})
        place[parts[-1]] = value
    return shown


@dataclass(frozen=True)
class Term:
    """One part of `orderBy`: a path, how its values are read from bodies, and the direction."""

    path: str
    values: Callable[[list[dict[str, Any]]], list[Any]]
    down: bool


def order_terms(order_by: str) -> list[Term]:
    """The parts of `"field desc,other"`."""
    terms = []
    for text in (text for text in order_by.split(",") if text.strip()):
        path, *direction = text.split()
        if direction not in ([], ["asc"], ["desc"]):
            raise invalid(f"invalid orderBy {order_by!r}: write 'field' or 'field desc', separated by commas")
        terms.append(Term(path, column(path), direction == ["desc"]))
    return terms


def ordered(items: list[Item], bodies: list[dict[str, Any]], terms: list[Term]) -> list[Item]:
    """The items, sorted by their bodies. Equal ones keep their order."""
    places = list(range(len(items)))
    for term in reversed(terms):
        places.sort(key=_keys(term.values(bodies)).__getitem__, reverse=term.down)
    return [items[place] for place in places]


def _keys(values: list[Any]) -> list[Any]:
    """What a column is sorted by; most have one type, which sorts by itself, many times faster."""
    kinds = set(map(type, values))
    if kinds <= {int, float, bool}:
        return values
    if kinds == {str}:
        decimal = set(map(str.isdecimal, values))
        if len(decimal) == 1:
            return list(map(int, values)) if decimal == {True} else values
    if kinds == {dict} and not any("nanos" in value for value in values):
        return [0] * len(values)
    return [_key(value) for value in values]


def _key(value: Any) -> tuple[int, float, str]:
    """Numbers and int64 strings as numbers, money by its amount, then texts; objects and lists are equal."""
    if isinstance(value, str):
        return (1, float(value), "") if value.isdecimal() else (2 if value else 0, 0.0, value)
    if isinstance(value, float | int):
        return 1, float(value), ""
    if isinstance(value, dict) and "nanos" in value:
        return 1, int(value.get("units") or 0) + value["nanos"] / 1e9, ""
    return 0, 0.0, ""


def answer(
    collection: str, bodies: list[dict[str, Any]], query: Mapping[str, str], *, offset: int, total: int
) -> dict[str, Any]:
    """One page in the API's form."""
    token = next_token(query, offset + len(bodies), total)
    shown = [read_mask(body, query.get("readMask")) for body in bodies]
    return {collection: shown, "nextPageToken": token, "totalSize": total}


def page_of(collection: str, bodies: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """One page out of ready-made bodies, already in their default order."""
    test, terms = compile_filter(query.get("filter", "")), order_terms(query.get("orderBy", ""))
    offset, size = page_offset(query), page_size(query)
    found = [bodies[place] for place in test.passing(bodies)]
    chosen = ordered(found, found, terms)[offset : offset + size]
    return answer(collection, chosen, query, offset=offset, total=len(found))


def stored_page(
    store: Store,
    collection: str,
    account: str,
    query: Mapping[str, str],
    shown: Shown,
    full: Shown | None = None,
    *,
    order: str = "name",
) -> dict[str, Any]:
    """One page of a stored collection.

    `shown` gives a row as far as the row alone says, by which rows are filtered and sorted; `full` gives it
    with what stands beside it: signed links, and how far a running job is. Only the page and the rows that
    something works on are rendered.
    """
    full = full or shown
    deleted = query.get("showDeleted", "") == "true"
    asked = " ".join(camel(word) for word in query.get("orderBy", "").split())
    order = asked if asked in ORDERS else order
    test, terms = compile_filter(query.get("filter", "")), [] if asked == order else order_terms(asked)
    offset, size = page_offset(query), page_size(query)
    if test.anything and not terms:
        total = store.count(collection, account, deleted=deleted)
        rows = store.page(collection, account, order=order, deleted=deleted, limit=size, offset=offset)
        return answer(collection, [full(row) for row in rows], query, offset=offset, total=total)
    entries = _arranged(store.shelf(collection, account, shown), terms, order, full)
    entries = [each for each in entries if deleted or each.row.deleted is None]
    places = test.passing([each.fields for each in entries])
    chosen = [entries[place] for place in places[offset : offset + size]]
    return answer(collection, [full(each.row) for each in chosen], query, offset=offset, total=len(places))


def _arranged(shelf: Shelf, terms: list[Term], order: str, full: Shown) -> list[Entry]:
    """All rows, sorted; from memory when nothing was written since the same order was asked for."""
    key = f"{order} {[(term.path, term.down) for term in terms]}"
    if (kept := shelf.orders.get(key)) is not None:
        return kept
    now = {name: Entry(row := shelf.entries[name].row, full(row)) for name in shelf.moving}
    entries = list((shelf.entries | now if now else shelf.entries).values())
    field, _, down = order.partition(" ")
    entries.sort(key=BY_ID, reverse=order == "name desc")
    if field != "name":
        entries.sort(key=SORT_KEYS[field], reverse=bool(down))
    entries = ordered(entries, [each.fields for each in entries], terms)
    if not now:  # what runs changes without a write
        if len(shelf.orders) == MOST_ORDERS:
            shelf.orders.clear()
        shelf.orders[key] = entries
    return entries
