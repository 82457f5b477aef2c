"""Accounts, quotas and the key check (fireworks-api.md, 1.1 and 10)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks.errors import not_found
from localfireworks.listing import page_of, read_mask
from localfireworks.names import timestamp
from localfireworks.service import Service, ok, own_account, service_of

QUOTAS = {  # id: (value, most); usage is worked out
    "monthly-spend-usd": (500, 500),
    "serverless-inference-rpm": (6000, 6000),
    "training-h200-count": (16, 16),
    "training-b200-count": (16, 16),
    "training-b300-count": (32, 32),
}


def account_body(service: Service) -> dict[str, Any]:
    """The one account of this server."""
    since = timestamp(float(service.store.fact("created") or service.clock()))
    return {
        "name": f"accounts/{service.account}",
        "email": f"{service.account}@localhost",
        "displayName": "Rehearsal (local Fireworks)",
        "state": "READY",
        "status": {"code": "OK", "message": ""},
        "suspendState": service.store.fact("suspend-state") or "UNSUSPENDED",
        "accountType": "ACCOUNT_TYPE_UNSPECIFIED",
        "createTime": since,
        "updateTime": since,
    }


async def verify_key(request: Request) -> Response:
    response = ok({})
    response.headers["x-fireworks-account-id"] = service_of(request).account
    return response


async def list_accounts(request: Request) -> Response:
    return ok(page_of("accounts", [account_body(service_of(request))], request.query_params))


async def get_account(request: Request) -> Response:
    own_account(request)
    return ok(read_mask(account_body(service_of(request)), request.query_params.get("readMask")))


def quota_bodies(service: Service) -> list[dict[str, Any]]:
    updated = timestamp(service.clock())
    return [
        {
            "name": f"accounts/{service.account}/quotas/{id_}",
            "value": str(value),
            "maxValue": str(most),
            "usage": 0.0,
            "updateTime": updated,
        }
        for id_, (value, most) in QUOTAS.items()
    ]


async def list_quotas(request: Request) -> Response:
    own_account(request)
    return ok(page_of("quotas", quota_bodies(service_of(request)), request.query_params))


async def get_quota(request: Request) -> Response:
    name = f"accounts/{own_account(request)}/quotas/{request.path_params['id']}"
    bodies = [body for body in quota_bodies(service_of(request)) if body["name"] == name]
    if not bodies:
        raise not_found(name)
    return ok(bodies[0])


routes = [
    Route("/verifyApiKey", verify_key),
    Route("/v1/accounts", list_accounts),
    Route("/v1/accounts/{account}", get_account),
    Route("/v1/accounts/{account}/quotas", list_quotas),
    Route("/v1/accounts/{account}/quotas/{id:rid}", get_quota),
]
