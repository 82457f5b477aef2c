"""What one step of a phase can come to. A step returns one of these and never writes the status itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sessions.models import Plan
from sessions.states import GateKind


@dataclass(frozen=True)
class Done:
    """The phase is finished; `note` says in a sentence what came of it."""

    note: str


@dataclass(frozen=True)
class Skip:
    """The phase does not apply; `note` says why."""

    note: str


@dataclass(frozen=True)
class Wait:
    """Nothing to do for now: look again after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Ask:
    """A person must decide."""

    kind: GateKind
    text: str
    body: dict[str, Any] = field(default_factory=dict)
    plan: Plan | None = None


@dataclass(frozen=True)
class Failure:
    """Why a session cannot go on (product row 1.15).

    `whose` is data, configuration, quota, platform or unknown; `theirs` are the provider's own words.
    """

    whose: str
    ours: str
    next: str
    theirs: str = ""
    retry_safe: bool = False


@dataclass(frozen=True)
class Failed:
    """The session ends here, with a report."""

    failure: Failure


@dataclass(frozen=True)
class Cancelled:
    """What the session had running is stopped."""

    note: str


@dataclass(frozen=True)
class Finished:
    """The report is written: the session is over."""

    note: str


@dataclass(frozen=True)
class Retry:
    """A passing fault: the same step again, later and later."""

    text: str


Outcome = Done | Skip | Wait | Ask | Failed | Cancelled | Finished | Retry
