"""Lists: page size, page token, filter, order, read mask (fireworks-api.md, 1.4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from localfireworks.errors import invalid
from localfireworks.filters import camel, compile_filter, value_at
from localfireworks.store import ORDERS, Resource, Store

DEFAULT_PAGE, LARGEST_PAGE = 50, 200
Render = Callable[[Resource], dict[str, Any]]


def page_size(query: Mapping[str, str]) -> int:
    """50 when absent or 0; above 200 lowered to 200."""
    text = query.get("pageSize") or "0"
    if not text.isdecimal():
        raise invalid(f"invalid pageSize {text!r}: give a whole number from 1 to {LARGEST_PAGE}")
    return min(int(text) or DEFAULT_PAGE, LARGEST_PAGE)


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
    if digest != _digest(query) or not offset.isdecimal():
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


def ordered(bodies: list[dict[str, Any]], order_by: str) -> list[dict[str, Any]]:
    """Sorted by `"field desc,other"`; numbers and int64 strings as numbers."""
    for term in reversed([t for t in order_by.split(",") if t.strip()]):
        path, *direction = term.split()
        if direction not in ([], ["asc"], ["desc"]):
            raise invalid(f"invalid orderBy {order_by!r}: write 'field' or 'field desc', separated by commas")
        bodies = sorted(bodies, key=lambda body: _key(value_at(body, path)), reverse=direction == ["desc"])
    return bodies


def _key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, bool | int | float):
        return 1, float(value), ""
    text = "" if value is None else str(value)
    return (1, float(text), "") if text.isdecimal() else (2 if text else 0, 0.0, text)


def answer(
    collection: str, bodies: list[dict[str, Any]], query: Mapping[str, str], *, offset: int, total: int
) -> dict[str, Any]:
    """One page in the API's form."""
    token = next_token(query, offset + len(bodies), total)
    shown = [read_mask(body, query.get("readMask")) for body in bodies]
    return {collection: shown, "nextPageToken": token, "totalSize": total}


def page_of(collection: str, bodies: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """One page out of ready-made bodies, already in their default order."""
    test = compile_filter(query.get("filter", ""))
    found = ordered([body for body in bodies if test(body)], query.get("orderBy", ""))
    offset = page_offset(query)
    chosen = found[offset : offset + page_size(query)]
    return answer(collection, chosen, query, offset=offset, total=len(found))


def stored_page(
    store: Store,
    collection: str,
    account: str,
    query: Mapping[str, str],
    render: Render,
    *,
    order: str = "name",
) -> dict[str, Any]:
    """One page of a stored collection; the database does the work unless a filter or rare order is given."""
    deleted = query.get("showDeleted", "") == "true"
    asked = " ".join(camel(word) for word in query.get("orderBy", "").split())
    order = asked if asked in ORDERS else order
    if query.get("filter") or asked not in ("", order):
        rows = store.page(collection, account, order=order, deleted=deleted)
        return page_of(collection, [render(row) for row in rows], query)
    offset = page_offset(query)
    total = store.count(collection, account, deleted=deleted)
    rows = store.page(
        collection, account, order=order, deleted=deleted, limit=page_size(query), offset=offset
    )
    return answer(collection, [render(row) for row in rows], query, offset=offset, total=total)
