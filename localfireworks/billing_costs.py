"""`usageCosts:query`: rated costs by hour, day, model or user (fireworks-api.md, 10)."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import replicas
from localfireworks.billing import DAY, PARENT, Group, cost_of, grouped, time_range
from localfireworks.errors import invalid
from localfireworks.listing import next_token, page_offset, page_size
from localfireworks.names import timestamp
from localfireworks.rates import HOUR, money
from localfireworks.service import Message, Service, ok, own_account, read_body, service_of
from localfireworks.usage import Used, used

DIMENSIONS = ("HOUR", "DAY", "MODEL", "USER", "API_KEY")


class CostFilter(Message):
    model: str = ""
    user: str = ""
    api_key_id: str = ""
    session_id: str = ""


class CostQuery(Message):
    start_time: str = ""
    end_time: str = ""
    group_by: list[str] = Field(default_factory=list)
    filter: CostFilter = CostFilter()
    scope: str = "ACCOUNT"
    page_size: int = Field(0, ge=0)
    page_token: str = ""


def user_name(service: Service) -> str:
    return f"accounts/{service.account}/users/{service.account}"


def check_groups(groups: list[str]) -> None:
    unknown = [group for group in groups if group not in DIMENSIONS]
    if unknown or len(groups) > 2 or len(set(groups)) < len(groups):
        raise invalid(f"invalid group_by {groups}: at most two different ones of {', '.join(DIMENSIONS)}")
    if {"HOUR", "DAY"} <= set(groups):
        raise invalid("invalid group_by: HOUR and DAY exclude each other")


def dimension_value(service: Service, row: Used, dimension: str) -> str:
    if dimension in ("HOUR", "DAY"):
        step = HOUR if dimension == "HOUR" else DAY
        return timestamp(row.hour // step * step)
    return {"MODEL": row.model, "USER": user_name(service)}.get(dimension, "")


FIELDS = {"HOUR": "startTime", "DAY": "startTime", "MODEL": "model", "USER": "user"}


def dimensions_of(groups: list[str], values: Group) -> dict[str, Any]:
    """The dimensions of a row; keys are not told apart here, so API_KEY is never attributed."""
    shown: dict[str, Any] = {FIELDS[name]: value for name, value in zip(groups, values, strict=True) if value}
    if "MODEL" in groups:
        shown["unknownModel"] = False
    if "API_KEY" in groups:
        shown["unattributedDimensions"] = ["API_KEY"]
    return shown


def wanted(service: Service, query: CostQuery, row: Used) -> bool:
    given = query.filter
    return (
        given.model in ("", row.model)
        and given.user in ("", user_name(service))
        and not given.api_key_id
        and not given.session_id
    )


async def query_costs(request: Request) -> Response:
    """Rated costs by at most two dimensions, with the subtotal of all pages."""
    own_account(request)
    service, query = service_of(request), await read_body(request, CostQuery)
    groups = query.group_by
    check_groups(groups)
    if query.scope not in ("ACCOUNT", "SELF", "SCOPE_UNSPECIFIED"):
        raise invalid(f"invalid scope {query.scope!r}: ACCOUNT or SELF")
    replicas.bill_all(service)
    begin, stop = time_range(service, query.start_time, query.end_time)
    rows = [row for row in used(service, begin, stop) if wanted(service, query, row)]
    parts = grouped(rows, lambda row: tuple(dimension_value(service, row, name) for name in groups))
    shown = [
        {"dimensions": dimensions_of(groups, values), "subtotal": money(cost_of(part))}
        for values, part in parts.items()
    ]
    fixed = query.model_dump_json(exclude={"page_size", "page_token"})
    paging = {"filter": fixed, "pageToken": query.page_token, "pageSize": str(query.page_size)}
    offset, size = page_offset(paging), page_size(paging)
    return ok(
        {
            "rows": shown[offset : offset + size],
            "nextPageToken": next_token(paging, offset + size, len(shown)),
            "subtotal": money(cost_of(rows)),
            "evaluationTime": timestamp(service.clock()),
            "attributionCompleteness": "INCOMPLETE" if "API_KEY" in groups else "COMPLETE",
        }
    )


routes = [Route(PARENT + "/usageCosts:query", query_costs, methods=["POST"])]
