"""Calls for the person who runs the server, local and without a key: fault switches and the account.

Each takes JSON, or a form of the page at `/`, which is sent back to the page.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from localfireworks import faults
from localfireworks.account_state import (
    has_payment_method,
    set_payment_method,
    set_suspend_state,
    suspend_state,
)
from localfireworks.errors import ApiError, first_fault, invalid
from localfireworks.faults import Fault, Strict
from localfireworks.page import page
from localfireworks.page_switches import Entered
from localfireworks.service import Service, ok, read_json, service_of

Handler = Callable[[Request], Awaitable[Response]]
FORM = "application/x-www-form-urlencoded"


def check_local(request: Request) -> None:
    """Only from this machine or its own network, and from no page of another site."""
    host = request.client.host if request.client else "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
        near = address.is_loopback or address.is_private
    except ValueError:  # a Unix socket, a test
        near = True
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if not near or foreign:
        raise ApiError("PERMISSION_DENIED", "admin calls are answered to this machine only")


async def is_form(request: Request) -> bool:
    """Whether a page's form was sent; curl gives JSON the same type unless told otherwise."""
    typed = request.headers.get("content-type", "").startswith(FORM)
    return typed and not (await request.body()).lstrip().startswith(b"{")


def nested(fields: dict[str, str]) -> dict[str, Any]:
    """Form fields as an object: `a.b` goes into `a`; empty fields are left out."""
    made: dict[str, Any] = {}
    for name, value in fields.items():
        if value.strip():
            head, _, tail = name.partition(".")
            if tail:
                made.setdefault(head, {})[tail] = value.strip()
            else:
                made[head] = value.strip()
    return made


def refusable(part: str, handle: Handler) -> Handler:
    """Answers a form that is refused with the page, its fields filled in as they were sent."""

    async def handled(request: Request) -> Response:
        try:
            return await handle(request)
        except (ApiError, ValidationError) as error:
            if not await is_form(request):
                raise
            async with request.form() as form:
                fields = {name: str(value) for name, value in form.items()}
            message = error.message if isinstance(error, ApiError) else ": ".join(first_fault(error))
            return page(request, Entered(part, message, fields))

    return handled


async def given(request: Request) -> dict[str, Any]:
    """The fields of a form or of a JSON object."""
    check_local(request)
    if await is_form(request):
        async with request.form() as form:
            return nested({name: str(value) for name, value in form.items()})
    value = await read_json(request)
    if not isinstance(value, dict):
        raise invalid("the body must be a JSON object")
    return value


async def answer(request: Request, body: dict[str, Any], part: str) -> Response:
    """JSON for a program; a person goes back to the page."""
    return RedirectResponse(f"/#{part}", 303) if await is_form(request) else ok(body)


async def list_faults(request: Request) -> Response:
    check_local(request)
    store = service_of(request).store
    return ok({"faults": [fault.body() for fault in faults.all_faults(store)], "kinds": faults.KINDS})


async def add_fault(request: Request) -> Response:
    """A new switch, or with an id that exists: in its place, counting from 0."""
    fault = Fault.model_validate(await given(request))
    fault.seen = fault.hits = 0
    return await answer(request, faults.keep(service_of(request).store, fault).body(), "faults")


async def remove_faults(request: Request) -> Response:
    check_local(request)
    faults.remove_all(service_of(request).store)
    return await answer(request, {}, "faults")


async def remove_fault(request: Request) -> Response:
    check_local(request)
    faults.remove(service_of(request).store, str(request.path_params["id"]))
    return await answer(request, {}, "faults")


class AccountPatch(Strict):
    """What may be set of the account; what is left out stays."""

    suspend_state: str | None = None
    payment_method: bool | None = None


def account(service: Service) -> dict[str, Any]:
    return {"suspendState": suspend_state(service), "paymentMethod": has_payment_method(service)}


async def get_account(request: Request) -> Response:
    check_local(request)
    return ok(account(service_of(request)))


async def set_account(request: Request) -> Response:
    service, patch = service_of(request), AccountPatch.model_validate(await given(request))
    if patch.suspend_state is not None:
        set_suspend_state(service, patch.suspend_state)
    if patch.payment_method is not None:
        set_payment_method(service, present=patch.payment_method)
    return await answer(request, account(service), "account")


routes = [
    Route("/admin/account", get_account),
    Route("/admin/account", refusable("account", set_account), methods=["POST", "PATCH"]),
    Route("/admin/faults", list_faults),
    Route("/admin/faults", refusable("faults", add_fault), methods=["POST"]),
    Route("/admin/faults", remove_faults, methods=["DELETE"]),
    Route("/admin/faults:clear", remove_faults, methods=["POST"]),
    Route("/admin/faults/{id:rid}", remove_fault, methods=["DELETE"]),
    Route("/admin/faults/{id:rid}:remove", remove_fault, methods=["POST"]),
]
