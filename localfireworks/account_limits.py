"""What the account's state refuses before a call is looked at: suspension, request rates, no payment method.

While suspended, inference and all calls that make, change or resume something are refused with 412; reading,
deleting and cancelling stay possible.
"""

from __future__ import annotations

import math
import re

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from localfireworks.account_state import UNSUSPENDED, has_payment_method, suspend_state
from localfireworks.errors import CODES, is_inference, precondition
from localfireworks.fault_answers import rate_limited, suspended
from localfireworks.quotas import INFERENCE_QUOTA, quota_value
from localfireworks.service import Service

FREE_RATE, PAID_RATE = 10, 6000  # requests a minute
API = ("/v1/", "/inference/", "/verifyApiKey")
CHANGES = ("POST", "PATCH", "PUT")
HARMLESS = (":cancel", ":query", ":match", ":estimateCost")
JOB = re.compile(r"/v1/accounts/[^/]+/[a-zA-Z]+Jobs")


class AccountLimits:
    """Refuses calls that the account may not make now."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = None
        if scope["type"] == "http" and scope["path"].startswith(API):
            refused = refusal(scope["app"].state.service, scope["method"], scope["path"])
        await (refused or self.app)(scope, receive, send)


def refusal(service: Service, method: str, path: str) -> Response | None:
    paid = has_payment_method(service)
    if wait := _wait(service, path, PAID_RATE if paid else FREE_RATE):
        return rate_limited(path, "Rate limit exceeded, please try again later", math.ceil(wait))
    changes = method in CHANGES and not path.endswith(HARMLESS)
    if changes and (state := suspend_state(service)) != UNSUSPENDED:
        return suspended(path, state)
    if not paid and method == "POST" and JOB.fullmatch(path):
        error = precondition("a payment method is needed before a job can be created: credits are not enough")
        return JSONResponse(error.body(), CODES[error.status][1])
    return None


def _wait(service: Service, path: str, rate: int) -> float:
    """Seconds until the account's rates allow this call; it is counted when they do."""
    now = service.clock()
    if is_inference(path):
        most = min(rate, quota_value(service, INFERENCE_QUOTA))
        if wait := service.traffic.inference.take(now, most):
            return wait
    return service.traffic.calls.take(now, rate)
