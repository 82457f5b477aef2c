"""Whether the account may spend: its suspension and its payment method (fireworks-api.md, 1.8 and 10)."""

from __future__ import annotations

from localfireworks.errors import invalid
from localfireworks.service import Service
from localfireworks.usage import spent_this_month

SUSPEND_FACT, PAYMENT_FACT, QUOTA_FACTS = "suspend-state", "payment-method", "quota:"
SPEND_QUOTA = "monthly-spend-usd"
UNSUSPENDED, SPEND_LIMIT = "UNSUSPENDED", "MONTHLY_SPEND_LIMIT_EXCEEDED"
STATES = (UNSUSPENDED, "FAILED_PAYMENTS", "CREDIT_DEPLETED", SPEND_LIMIT, "BLOCKED_BY_ABUSE_RULE")


def suspend_state(service: Service) -> str:
    """As it was set; else exceeded, when this month's costs reach a spending limit that somebody set."""
    kept = service.store.fact(SUSPEND_FACT) or UNSUSPENDED
    limit = service.store.fact(QUOTA_FACTS + SPEND_QUOTA)
    if kept == UNSUSPENDED and limit is not None and spent_this_month(service) >= int(limit):
        return SPEND_LIMIT
    return kept


def is_suspended(service: Service) -> bool:
    return suspend_state(service) != UNSUSPENDED


def set_suspend_state(service: Service, state: str) -> None:
    if state not in STATES:
        raise invalid(f"invalid suspendState {state!r}: one of {', '.join(STATES)}")
    service.store.keep_fact(SUSPEND_FACT, state)


def has_payment_method(service: Service) -> bool:
    return service.store.fact(PAYMENT_FACT) != "no"


def set_payment_method(service: Service, *, present: bool) -> None:
    service.store.keep_fact(PAYMENT_FACT, "yes" if present else "no")
