"""The account: state, suspension, quotas. Source: facts sheet 10."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .client import Fireworks
from .fields import Status, number, text

UNSUSPENDED = ("", "UNSUSPENDED", "SUSPEND_STATE_UNSPECIFIED")
WORDS = {
    "FAILED_PAYMENTS": "a payment failed",
    "CREDIT_DEPLETED": "its credits are used up",
    "MONTHLY_SPEND_LIMIT_EXCEEDED": "its monthly spend limit is reached",
    "BLOCKED_BY_ABUSE_RULE": "it was blocked by an abuse rule",
}


@dataclass(frozen=True, slots=True)
class Account:
    """An account as Fireworks shows it; `raw` keeps every field."""

    name: str
    state: str
    suspend_state: str = ""
    display_name: str = ""
    status: Status = field(default_factory=Status)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def suspended(self) -> bool:
        """Whether every API is paused; a suspension word we do not know counts as one."""
        return self.suspend_state not in UNSUSPENDED

    @property
    def problem(self) -> str:
        """What keeps the account from spending, in plain words; "" when nothing does."""
        if self.suspended:
            why = WORDS.get(self.suspend_state, self.suspend_state)
            return f"The Fireworks account is suspended: {why}."
        if self.state in ("DELETING", "CREATING"):
            return f"The Fireworks account is in state {self.state}."
        return ""


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit and how much of it is used; both in the quota's own unit."""

    name: str
    limit: float | None
    used: float | None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def left(self) -> float | None:
        """What may still be used; None when limit or use is unknown."""
        return None if self.limit is None or self.used is None else self.limit - self.used


def parse(raw: Mapping[str, Any]) -> Account:
    """An account from its JSON; words we do not know are kept."""
    return Account(
        name=text(raw, "name"),
        state=text(raw, "state"),
        suspend_state=text(raw, "suspendState"),
        display_name=text(raw, "displayName"),
        status=Status.of(raw),
        raw=raw,
    )


def get(fireworks: Fireworks) -> Account:
    """The client's own account."""
    return parse(fireworks.get(f"/v1/accounts/{fireworks.account}"))


def quotas(fireworks: Fireworks) -> Iterator[Quota]:
    """All quotas of the account, page by page."""
    for raw in fireworks.pages(f"/v1/accounts/{fireworks.account}/quotas", "quotas"):
        yield Quota(
            text(raw, "name").rsplit("/", 1)[-1], number(raw.get("value")), number(raw.get("usage")), raw
        )
