"""What a struck request is answered with, in the form of the half of the API it was asked of."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from localfireworks.errors import ApiError, InferenceError, is_inference
from localfireworks.faults import Fault
from localfireworks.signing import StorageError

GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def refusal(
    path: str, http: int, status: str, word: str, message: str, *, reason: str = "", **metadata: str
) -> Response:
    """One error in the form of storage (XML), inference (`word`) or control plane (`status`)."""
    if path.startswith("/storage/"):
        return StorageError(http, word, message).response()
    if is_inference(path):
        return JSONResponse(InferenceError(http, word, message).body(), http)
    return JSONResponse(ApiError(status, message, reason=reason, **metadata).body(), http)


def suspended(path: str, state: str) -> Response:
    message = f"The account is suspended ({state}): check the spending limit and unpaid invoices"
    return refusal(path, 412, "FAILED_PRECONDITION", "PRECONDITION_FAILED", message)


def rate_limited(path: str, message: str, retry_after: float | None) -> Response:
    answer = refusal(path, 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", message)
    if retry_after is not None:
        answer.headers["retry-after"] = f"{retry_after:g}"
    return answer


def _rate_limited(fault: Fault, path: str) -> Response:
    return rate_limited(path, "Rate limit exceeded, please try again later", fault.parameters.retry_after)


def _quota(fault: Fault, path: str) -> Response:
    required, available = fault.parameters.quota_required, fault.parameters.quota_available
    return refusal(
        path,
        403,
        "PERMISSION_DENIED",
        "FORBIDDEN",
        f"quota exceeded: {required} GPUs are required, {available} are available; "
        "a higher spending tier has more",
        reason="QUOTA_EXCEEDED",
        quota_required=str(required),
        quota_available=str(available),
    )


def _failed(_: Fault, path: str) -> Response:
    return refusal(path, 500, "INTERNAL", "INTERNAL", "Internal error")


def _unavailable(_: Fault, path: str) -> Response:
    return refusal(path, 503, "UNAVAILABLE", "SERVICE_UNAVAILABLE", "The service is overloaded, try again")


ANSWERS: dict[str, Callable[[Fault, str], Response]] = {
    "rate-limited": _rate_limited,
    "quota-exceeded": _quota,
    "suspended": lambda _, path: suspended(path, "FAILED_PAYMENTS"),
    "server-error": _failed,
    "bad-gateway": lambda _fault, _path: HTMLResponse(GATEWAY_PAGE, 502),
    "unavailable": _unavailable,
    "fault-filter-abort": lambda _fault, _path: PlainTextResponse("fault filter abort", 404),
}
