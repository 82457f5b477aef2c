"""The words that every kind of job shares: its states and its progress. Source: facts sheet 4.2, 4.3.

Words we do not know are kept: such a job is neither over nor a success.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .fields import integer, number

PREFIX = "JOB_STATE_"
SUCCEEDED = frozenset({"JOB_STATE_COMPLETED", "JOB_STATE_EARLY_STOPPED"})
FAILED = frozenset({"JOB_STATE_FAILED", "JOB_STATE_EXPIRED"})
GONE = frozenset({"JOB_STATE_CANCELLED", "JOB_STATE_DELETED", "JOB_STATE_DELETING", "JOB_STATE_ARCHIVED"})
OVER = SUCCEEDED | FAILED | GONE
PAUSED = "JOB_STATE_PAUSED"
EXPIRED = "JOB_STATE_EXPIRED"


class JobState:
    """What the state of a job says, for the classes that have one."""

    __slots__ = ()
    state: str

    @property
    def over(self) -> bool:
        """Whether it will not change any more. PAUSED and unknown states are not over."""
        return self.state in OVER

    @property
    def succeeded(self) -> bool:
        """COMPLETED or EARLY_STOPPED: there is a result."""
        return self.state in SUCCEEDED

    @property
    def paused(self) -> bool:
        """Stopped by a suspension or by hand; it can go on."""
        return self.state == PAUSED

    @property
    def word(self) -> str:
        """The state without its prefix, for people."""
        return self.state.removeprefix(PREFIX) or "UNSPECIFIED"


@dataclass(frozen=True, slots=True)
class Progress:
    """`jobProgress`: percent 0 to 100, epoch from 0, tokens and requests so far; None where not said."""

    percent: float | None = None
    epoch: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    requests: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Progress:
        """Read the object of a `jobProgress` field."""
        return cls(
            percent=number(raw.get("percent")),
            epoch=integer(raw, "epoch"),
            input_tokens=integer(raw, "inputTokens"),
            output_tokens=integer(raw, "outputTokens"),
            requests=integer(raw, "totalInputRequests"),
            succeeded=integer(raw, "successfullyProcessedRequests"),
            failed=integer(raw, "failedRequests"),
            raw=raw,
        )
