"""What the account was charged, grouped. Source: facts sheet 10.

The figures come a day or more late, so they settle an estimate afterwards and never guard a running one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .client import MAX_PAGES, PAGE_SIZE, Fireworks
from .errors import BadAnswer, PermissionMissing
from .fields import mapping, moment, text
from .money import Money
from .wire import Json

ACCOUNT, SELF = "ACCOUNT", "SELF"
MOST_GROUPS = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one group, for example {"model": …, "startTime": …}; `raw` keeps what is no text too."""

    amount: Money
    dimensions: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Costs:
    """All groups of a time range. `scope` says whose they are: the account's, or only this key's.

    `complete` is the provider's own word on whether everything is attributed yet; "" when not said.
    """

    rows: tuple[Cost, ...]
    scope: str
    subtotal: Money | None = None
    complete: str = ""
    evaluated: datetime | None = None


def query(
    fireworks: Fireworks, start: datetime, end: datetime, group_by: Sequence[str] = ("MODEL",)
) -> Costs:
    """Costs between two moments with a zone, by up to two of HOUR, DAY, MODEL, USER, API_KEY.

    The account's when the key may see them, else those of the key's own principal. Raises ValueError for a
    question that the API would refuse.
    """
    if len(group_by) > MOST_GROUPS or not start < end:
        raise ValueError("costs are grouped by at most two dimensions, over a time that has a length")
    body = {"startTime": _stamp(start), "endTime": _stamp(end), "groupBy": list(group_by)}
    try:
        return _costs(list(_pages(fireworks, {**body, "scope": ACCOUNT})), ACCOUNT)
    except PermissionMissing:
        return _costs(list(_pages(fireworks, {**body, "scope": SELF})), SELF)


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _pages(fireworks: Fireworks, body: Json) -> Iterator[Json]:
    path, token = f"/v1/accounts/{fireworks.account}/usageCosts:query", ""
    for _ in range(MAX_PAGES):
        asked = {**body, "pageSize": PAGE_SIZE, **({"pageToken": token} if token else {})}
        page = fireworks.call("POST", path, body=asked).json
        yield page
        token = text(page, "nextPageToken")
        if not token:
            return
    raise BadAnswer(f"POST {path}: more than {MAX_PAGES} pages")


def _costs(pages: Sequence[Json], scope: str) -> Costs:
    first = pages[0]
    return Costs(
        rows=tuple(_rows(pages)),
        scope=scope,
        subtotal=Money.from_api(first.get("subtotal")),
        complete=text(first, "attributionCompleteness"),
        evaluated=moment(first, "evaluationTime"),
    )


def _rows(pages: Sequence[Json]) -> Iterator[Cost]:
    for page in pages:
        rows = page.get("rows")
        for raw in rows if isinstance(rows, list) else []:
            amount = Money.from_api(raw.get("subtotal")) if isinstance(raw, Mapping) else None
            if amount:
                dimensions = mapping(raw, "dimensions").items()
                yield Cost(amount, {name: value for name, value in dimensions if isinstance(value, str)}, raw)
