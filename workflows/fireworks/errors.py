"""What can go wrong between us and Fireworks, sorted by who can mend it.

Three families: `Temporary` (try again later), `Permanent` (the request itself is refused) and
`NeedsPerson` (key, payment, suspension, quota). Sorting goes by HTTP status, code and machine-readable
reason, never by the words of a message. Source: facts sheet 1.5 to 1.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """An error answer, whatever shape its body had. `message` is the provider's own, without secrets."""

    status: int = 0
    code: str = ""
    reason: str = ""
    message: str = ""
    request_id: str = ""
    retry_after: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class FireworksError(Exception):
    """Root of all faults of this package; `fault` keeps what the provider said."""

    def __init__(self, message: str, fault: Fault | None = None) -> None:
        super().__init__(message)
        self.fault = fault or Fault(message=message)

    @property
    def status(self) -> int:
        """HTTP status, 0 when no answer came."""
        return self.fault.status

    @property
    def code(self) -> str:
        """gRPC name (`NOT_FOUND`) or the inference code (`DEPLOYMENT_SCALING_UP`); may be empty."""
        return self.fault.code

    @property
    def reason(self) -> str:
        """Machine-readable `ErrorInfo.reason`, for example `DATASET_INVALID`; may be empty."""
        return self.fault.reason

    @property
    def provider_message(self) -> str:
        """The provider's own words."""
        return self.fault.message

    @property
    def request_id(self) -> str:
        """`x-request-id` of the answer, to quote to the provider's support."""
        return self.fault.request_id

    @property
    def retry_after(self) -> float | None:
        """Seconds the provider asked to wait, when it said so."""
        return self.fault.retry_after


class Temporary(FireworksError):
    """Nothing is wrong with the request: the same call may work later."""


class Unreachable(Temporary):
    """No connection could be made; nothing was sent."""


class OutcomeUnknown(Temporary):
    """The answer was lost: the effect may or may not have happened. Read before asking again."""


class ScalingUp(Temporary):
    """The deployment was scaled to zero and is waking (503 `DEPLOYMENT_SCALING_UP`)."""


class Permanent(FireworksError):
    """The request is refused as it stands; repeating it changes nothing."""


class NotFound(Permanent):
    """There is no such resource, or the key cannot see it."""


class AlreadyExists(Permanent):
    """The name is taken: fetch it and compare."""


class Conflict(Permanent):
    """The name is taken by a resource of another configuration. `differences` names the fields."""

    def __init__(self, name: str, differences: list[str]) -> None:
        super().__init__(f"{name} exists with another configuration: {'; '.join(differences)}")
        self.differences = differences


class CallForbidden(Permanent):
    """Our own manifest refuses the call; no byte left the process."""


class BadAnswer(Permanent):
    """A success whose body is not what the API documents."""


class NeedsPerson(FireworksError):
    """Someone must act on the account."""


class KeyRefused(NeedsPerson):
    """401: the key is wrong, revoked, or not allowed to do this."""


class QuotaReached(NeedsPerson):
    """A quota of the account (training GPUs, deployments) is used up; waiting alone does not help."""


class AccountSuspended(NeedsPerson):
    """412: spend limit reached or an invoice unpaid; every API is paused."""


class PaymentNeeded(NeedsPerson):
    """402: no paid plan or payment method."""


class PermissionMissing(NeedsPerson):
    """403: the account or the key's role may not do this."""


# Where one thing is created or asked for without creating it, both mean that this very thing is not to be had
# (facts sheet 6.1: deployments are refused with 400 or 403).
REFUSALS = (Permanent, PermissionMissing)

GRPC_CODES = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]

_BY_STATUS: dict[int, type[FireworksError]] = {
    401: KeyRefused,
    402: PaymentNeeded,
    403: PermissionMissing,
    404: NotFound,
    408: Temporary,
    409: AlreadyExists,
    412: AccountSuspended,
    425: Temporary,
    429: Temporary,
    499: Temporary,
}


def is_quota(fault: Fault) -> bool:
    """Whether code, reason or metadata say that a quota is used up (facts 1.8: 403 or 429)."""
    marks = f"{fault.code} {fault.reason}".upper()
    return "QUOTA" in marks or "quota_required" in fault.metadata


def _kind(fault: Fault) -> type[FireworksError]:
    if fault.status in (403, 429) and is_quota(fault):
        return QuotaReached
    if fault.status == 503 and fault.code == "DEPLOYMENT_SCALING_UP":
        return ScalingUp
    if fault.status == 409 and fault.code == "ABORTED":
        return Temporary
    if fault.status == 501:
        return Permanent
    if fault.status >= 500:
        return Temporary
    return _BY_STATUS.get(fault.status, Permanent)


_REMEDY: dict[type[FireworksError], str] = {
    KeyRefused: "check the API key and that it may train and deploy",
    PaymentNeeded: "add a payment method to the Fireworks account",
    PermissionMissing: "ask the account's administrator for the permission",
    QuotaReached: "raise the quota in the Fireworks account, or free what uses it",
    AccountSuspended: "look at spend limit and invoices of the Fireworks account",
}


def error_for(fault: Fault, doing: str) -> FireworksError:
    """The typed error for an error answer; `doing` is what was asked, as "METHOD path"."""
    kind = _kind(fault)
    words = fault.message or "no explanation given"
    text = f"{doing}: HTTP {fault.status}{' ' + fault.code if fault.code else ''}: {words}"
    remedy = _REMEDY.get(kind)
    return kind(f"{text} ({remedy})" if remedy else text, fault)


def _code_name(code: Any) -> str:
    if isinstance(code, int) and 0 <= code < len(GRPC_CODES):
        return GRPC_CODES[code]
    return "" if code is None else str(code)


def _error_info(details: Any) -> tuple[str, dict[str, str]]:
    for item in details if isinstance(details, list) else []:
        if isinstance(item, dict) and item.get("reason"):
            metadata = item.get("metadata")
            found = metadata if isinstance(metadata, dict) else {}
            return str(item["reason"]), {str(key): str(value) for key, value in found.items()}
    return "", {}


def parse_fault(status: int, body: Any, text: str = "") -> Fault:
    """An error body in any documented shape (facts 1.5, 1.6), or plain text of an edge, as a `Fault`.

    `body` is the decoded JSON, or None when it was not JSON; then `text` is used.
    """
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        inner = {**body, **body["error"]}
    elif isinstance(body, dict) and isinstance(body.get("error"), str):
        inner = {"message": body["error"], **{k: v for k, v in body.items() if k != "error"}}
    else:
        inner = body if isinstance(body, dict) else {"message": text.strip()[:500]}
    reason, metadata = _error_info(inner.get("details"))
    return Fault(
        status=status,
        code=_code_name(inner.get("code")),
        reason=reason,
        message=str(inner.get("message") or ""),
        metadata=metadata,
    )
