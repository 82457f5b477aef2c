"""Quotas: limits of spending tier 2, what is used of them, and changing a limit (fireworks-api.md, 10)."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks import jobs
from localfireworks.account_state import QUOTA_FACTS, SPEND_QUOTA
from localfireworks.catalogue import CATALOGUE
from localfireworks.errors import invalid, not_found
from localfireworks.listing import page_of, read_mask
from localfireworks.names import timestamp
from localfireworks.service import Message, Service, ok, own_account, read_body, service_of
from localfireworks.usage import spent_this_month

INFERENCE_QUOTA = "serverless-inference-rpm"
QUOTAS = {  # id: (value, most)
    SPEND_QUOTA: (500, 500),
    INFERENCE_QUOTA: (6000, 6000),
    "training-h200-count": (16, 16),
    "training-b200-count": (16, 16),
    "training-b300-count": (32, 32),
    "deployment-h100-count": (8, 8),
    "deployment-h200-count": (8, 8),
    "deployment-b200-count": (8, 8),
    "deployment-b300-count": (8, 8),
}


class QuotaPatch(Message):
    value: int = Field(ge=0)


def quota_value(service: Service, id_: str) -> int:
    """The limit that was set, else that of the tier."""
    return int(service.store.fact(QUOTA_FACTS + id_) or QUOTAS[id_][0])


def _training_gpus(service: Service, gpu: str) -> int:
    """Trainer GPUs of this type that running jobs hold, as the models page names them (`2xH200`)."""
    total = 0
    for collection in jobs.COLLECTIONS:
        for job in service.store.in_states(collection, (jobs.RUNNING, jobs.WRITING)):
            base = CATALOGUE.get(job.private.get("base", ""))
            count, _, kind = base.gpu.lower().partition("x") if base else ("", "", "")
            total += int(count) if kind == gpu else 0
    return total


def _serving_gpus(service: Service, gpu: str) -> int:
    rows = service.store.in_states("deployments", ("CREATING", "READY", "UPDATING"))
    return sum(
        row.private["replicas"] * int(row.body["acceleratorCount"])
        for row in rows
        if f"_{gpu}_" in row.body["acceleratorType"].lower()
    )


def _usage(service: Service, id_: str) -> float:
    if id_ == SPEND_QUOTA:
        return float(spent_this_month(service))
    if id_ == INFERENCE_QUOTA:
        return float(service.traffic.inference.count(service.clock()))
    area, gpu, _ = id_.split("-")
    return float(_training_gpus(service, gpu) if area == "training" else _serving_gpus(service, gpu))


def body(service: Service, id_: str) -> dict[str, Any]:
    return {
        "name": f"accounts/{service.account}/quotas/{id_}",
        "value": str(quota_value(service, id_)),
        "maxValue": str(QUOTAS[id_][1]),
        "usage": _usage(service, id_),
        "updateTime": timestamp(service.clock()),
    }


def _id(request: Request) -> str:
    own_account(request)
    id_ = str(request.path_params["id"])
    if id_ not in QUOTAS:
        raise not_found(f"accounts/{service_of(request).account}/quotas/{id_}")
    return id_


async def list_quotas(request: Request) -> Response:
    own_account(request)
    service = service_of(request)
    return ok(page_of("quotas", [body(service, id_) for id_ in QUOTAS], request.query_params))


async def get_quota(request: Request) -> Response:
    return ok(read_mask(body(service_of(request), _id(request)), request.query_params.get("readMask")))


async def patch_quota(request: Request) -> Response:
    """Set a limit, up to the tier's."""
    service, id_ = service_of(request), _id(request)
    value = (await read_body(request, QuotaPatch)).value
    if value > QUOTAS[id_][1]:
        raise invalid(f"invalid value {value}: at most {QUOTAS[id_][1]} in this tier")
    service.store.keep_fact(QUOTA_FACTS + id_, str(value))
    return ok(body(service, id_))


PARENT = "/v1/accounts/{account}/quotas"
routes = [
    Route(PARENT, list_quotas),
    Route(PARENT + "/{id:rid}", get_quota),
    Route(PARENT + "/{id:rid}", patch_quota, methods=["PATCH"]),
]
