"""Bills (fireworks-api.md, 10): billing/summary with dollars, billingUsage with quantities.

Rows come from what was really used here: finished trainings, serverless tokens, GPU time of deployments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import replicas
from localfireworks.errors import invalid
from localfireworks.names import timestamp
from localfireworks.rates import HOUR, money
from localfireworks.service import Service, ok, own_account, service_of
from localfireworks.usage import DEDICATED, KINDS, SERVERLESS, TRAINING, ZERO, Used, used

DAY = 24 * HOUR
MOST_DAYS = 31
CATEGORIES = {SERVERLESS: "Serverless", DEDICATED: "Dedicated deployments", TRAINING: "Training"}
UNITS = {SERVERLESS: "tokens", DEDICATED: "accelerator-seconds", TRAINING: "training tokens"}
Group = tuple[str, ...]


def seconds_at(text: str, field: str, default: float) -> float:
    """RFC 3339 as seconds since 1970; INVALID_ARGUMENT when it cannot be read."""
    if not text:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"invalid {field} {text!r}: give a time such as 2026-11-21T00:00:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def time_range(service: Service, start: str, end: str) -> tuple[float, float]:
    """The asked range of time; without one, the last 30 days."""
    now = service.clock()
    stop = seconds_at(end, "end_time", now + HOUR)
    begin = seconds_at(start, "start_time", stop - 30 * DAY)
    if begin >= stop:
        raise invalid("invalid time range: start_time must be before end_time")
    return begin, stop


def grouped(rows: Iterable[Used], key: Callable[[Used], Group]) -> dict[Group, list[Used]]:
    """Rows by group, in the order of their groups."""
    found: dict[Group, list[Used]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(sorted(found.items()))


def cost_of(rows: Iterable[Used]) -> Decimal:
    return sum((row.cost for row in rows), ZERO)


def quantity(row: Used) -> Decimal:
    if row.kind == DEDICATED:
        return row.accelerator_seconds
    return Decimal(row.prompt + row.completion if row.kind == SERVERLESS else row.trained)


def line_items(rows: Iterable[Used]) -> list[dict[str, Any]]:
    """One line for each kind of usage and model (or GPU)."""
    parts = grouped(rows, lambda row: (row.kind, row.gpu or row.model))
    return [
        {
            "category": CATEGORIES[kind],
            "series": kind,
            "groupingKey": "accelerator_type" if kind == DEDICATED else "model_name",
            "groupingValue": value,
            "secondaryGroupingKey": "unit",
            "secondaryGroupingValue": UNITS[kind],
            "quantity": float(sum((quantity(row) for row in part), ZERO)),
            "totalCost": money(cost_of(part)),
        }
        for (kind, value), part in parts.items()
    ]


def queried(request: Request) -> tuple[Service, float, float]:
    """The service and the range of time of a GET; everything up to now is recorded first."""
    own_account(request)
    service, query = service_of(request), request.query_params
    begin, stop = time_range(service, query.get("startTime", ""), query.get("endTime", ""))
    replicas.bill_all(service)
    return service, begin, stop


def days(rows: Iterable[Used]) -> dict[int, list[Used]]:
    return {
        int(group[0]): part for group, part in grouped(rows, lambda row: (f"{row.hour // DAY:09}",)).items()
    }


async def billing_summary(request: Request) -> Response:
    """Rated line items by category; `granularity=DAILY` adds one bucket a day."""
    service, begin, stop = queried(request)
    rows = used(service, begin, stop)
    body: dict[str, Any] = {"lineItems": line_items(rows), "usageBuckets": []}
    if request.query_params.get("granularity") == "DAILY":
        body["usageBuckets"] = [
            {
                "startTime": timestamp(day * DAY),
                "endTime": timestamp((day + 1) * DAY),
                "lineItems": line_items(part),
            }
            for day, part in days(rows).items()
        ]
    return ok(body)


NAMES: dict[str, dict[str, Callable[[Used], str]]] = {
    SERVERLESS: {"model_name": lambda row: row.model},
    DEDICATED: {"deployment_name": lambda row: row.subject, "accelerator_type": lambda row: row.gpu},
    TRAINING: {"model_name": lambda row: row.model, "job_name": lambda row: row.subject},
}
ROWS = {SERVERLESS: "serverlessCosts", DEDICATED: "dedicatedCosts", TRAINING: "trainingCosts"}


def measured(kind: str, part: list[Used]) -> dict[str, Any]:
    """Quantities of one row; int64 as text."""
    if kind == DEDICATED:
        return {"acceleratorSeconds": float(sum((row.accelerator_seconds for row in part), ZERO))}
    if kind == TRAINING:
        return {"trainingTokens": str(sum(row.trained for row in part))}
    return {
        "promptTokens": str(sum(row.prompt for row in part)),
        "cachedPromptTokens": str(sum(row.cached for row in part)),
        "completionTokens": str(sum(row.completion for row in part)),
        "usageType": "TEXT_COMPLETION_INFERENCE_USAGE",
    }


def usage_rows(kind: str, rows: list[Used], groups: list[str]) -> list[dict[str, Any]]:
    """Daily rows of one kind of usage, grouped by the asked names that it has (all of them: none asked)."""
    names = {name: read for name, read in NAMES[kind].items() if not groups or name in groups}
    shown = []
    for day, day_rows in days(row for row in rows if row.kind == kind).items():
        for values, part in grouped(
            day_rows, lambda row: tuple(read(row) for read in names.values())
        ).items():
            times = {"startTime": timestamp(day * DAY), "endTime": timestamp((day + 1) * DAY)}
            shown.append(times | {"group": dict(zip(names, values, strict=True))} | measured(kind, part))
    return shown


async def billing_usage(request: Request) -> Response:
    """Metered quantities by day, no dollars; at most 31 days at once."""
    service, begin, stop = queried(request)
    query = request.query_params
    if stop - begin > MOST_DAYS * DAY + HOUR:
        raise invalid(f"invalid time range: at most {MOST_DAYS} days at once")
    kind = query.get("usageType", "")
    if kind not in ("", "USAGE_TYPE_UNSPECIFIED", *KINDS):
        raise invalid(f"invalid usageType {kind!r}: one of {', '.join(KINDS)}")
    groups = query.getlist("groupBy")
    known = {name for names in NAMES.values() for name in names}
    if unknown := [name for name in groups if name not in known]:
        raise invalid(f"invalid groupBy {unknown}: one of {', '.join(sorted(known))}")
    rows = used(service, begin, stop)
    return ok({ROWS[each]: usage_rows(each, rows, groups) for each in KINDS if kind in ("", each)})


PARENT = "/v1/accounts/{account}"
routes = [
    Route(PARENT + "/billing/summary", billing_summary),
    Route(PARENT + "/billingUsage", billing_usage),
]
