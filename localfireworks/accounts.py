"""Accounts and the key check (fireworks-api.md, 1.1 and 10)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from localfireworks.account_state import suspend_state
from localfireworks.listing import page_of, read_mask
from localfireworks.names import timestamp
from localfireworks.service import Service, ok, own_account, service_of


def account_body(service: Service) -> dict[str, Any]:
    """The one account of this server."""
    since = timestamp(float(service.store.fact("created") or service.clock()))
    return {
        "name": f"accounts/{service.account}",
        "email": f"{service.account}@localhost",
        "displayName": "Rehearsal (local Fireworks)",
        "state": "READY",
        "status": {"code": "OK", "message": ""},
        "suspendState": suspend_state(service),
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


routes = [
    Route("/verifyApiKey", verify_key),
    Route("/v1/accounts", list_accounts),
    Route("/v1/accounts/{account}", get_account),
]
