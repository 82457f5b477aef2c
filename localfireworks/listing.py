"""Lists: page size, page token, filter, order, read mask (fireworks-api.md, 1.4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from localfireworks.errors import invalid
from localfireworks.filters import camel, compile_filter, getter, value_at
from localfireworks.store import ORDERS, Entry, Resource, Store

DEFAULT_PAGE, LARGEST_PAGE = 50, 200
MOST_DIGITS = 15
ALWAYS_STORED = frozenset({"name", "state", "createTime"})
BY_ID = attrgetter("row.id")
SORT_KEYS: dict[str, Callable[[Entry], Any]] = {
    "createTime": attrgetter("row.created"),
    "updateTime": attrgetter("row.updated"),
}
Render = Callable[[Resource], dict[str, Any]]
Item = TypeVar("Item")


def _same(item: Any) -> Any:
    return item


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
    """One part of `orderBy`."""

    field: str
    read: Callable[[dict[str, Any]], Any]
    down: bool

    def key(self, body: dict[str, Any]) -> tuple[int, float, str]:
        return _key(self.read(body))


def order_terms(order_by: str) -> list[Term]:
    """The parts of `"field desc,other"`."""
    terms = []
    for text in (text for text in order_by.split(",") if text.strip()):
        path, *direction = text.split()
        if direction not in ([], ["asc"], ["desc"]):
            raise invalid(f"invalid orderBy {order_by!r}: write 'field' or 'field desc', separated by commas")
        terms.append(Term(camel(path.split(".")[0]), getter(path), direction == ["desc"]))
    return terms


def ordered(
    items: list[Item], terms: list[Term], most: int | None = None, body: Callable[[Item], Any] = _same
) -> list[Item]:
    """The first `most` items, sorted; numbers and int64 strings as numbers. Equal ones keep their order."""
    if len(terms) == 1 and most is not None:  # a heap of one page is faster than sorting everything
        pick = heapq.nlargest if terms[0].down else heapq.nsmallest
        return pick(most, items, key=lambda item: terms[0].key(body(item)))
    for term in reversed(terms):
        items = sorted(items, key=lambda item, term=term: term.key(body(item)), reverse=term.down)  # type: ignore[misc]
    return items[:most]


def _key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, str):
        return (1, float(value), "") if value.isdecimal() else (2 if value else 0, 0.0, value)
    if isinstance(value, float | int):
        return 1, float(value), ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value))


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
    found = [body for body in bodies if test(body)]
    chosen = ordered(found, terms, offset + size)[offset:]
    return answer(collection, chosen, query, offset=offset, total=len(found))


def stored_page(
    store: Store,
    collection: str,
    account: str,
    query: Mapping[str, str],
    render: Render,
    *,
    order: str = "name",
    computed: frozenset[str] | None = None,
) -> dict[str, Any]:
    """One page of a stored collection.

    `computed` names the fields that `render` makes and the row's body does not have; None: any may be. Only
    a filter or order that needs such a field makes every row be rendered.
    """
    deleted = query.get("showDeleted", "") == "true"
    asked = " ".join(camel(word) for word in query.get("orderBy", "").split())
    order = asked if asked in ORDERS else order
    test, terms = compile_filter(query.get("filter", "")), [] if asked == order else order_terms(asked)
    offset, size = page_offset(query), page_size(query)
    if not test.fields and not terms:
        total = store.count(collection, account, deleted=deleted)
        rows = store.page(collection, account, order=order, deleted=deleted, limit=size, offset=offset)
        return answer(collection, [render(row) for row in rows], query, offset=offset, total=total)
    entries = store.entries(collection, account)
    if not _stored(test.fields | {term.field for term in terms}, computed):
        entries = [Entry(each.row, render(each.row)) for each in entries]
    found = [each for each in entries if test(each.fields) and (deleted or each.row.deleted is None)]
    field, _, down = order.partition(" ")
    found.sort(key=BY_ID, reverse=order == "name desc")
    if field != "name":
        found.sort(key=SORT_KEYS[field], reverse=bool(down))
    chosen = ordered(found, terms, offset + size, lambda each: each.fields)[offset : offset + size]
    return answer(collection, [render(each.row) for each in chosen], query, offset=offset, total=len(found))


def _stored(fields: frozenset[str] | set[str], computed: frozenset[str] | None) -> bool:
    """Whether all the fields can be read without rendering."""
    return fields <= ALWAYS_STORED if computed is None else not fields & computed
