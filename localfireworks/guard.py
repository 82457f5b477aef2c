"""Keeps a fault to what it belongs to: one job, one line, one stream. The one place that takes any fault."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

log = logging.getLogger("localfireworks")


@dataclass
class Outcome:
    """How a piece of work ended."""

    fault: Exception | None = None


@contextmanager
def caught() -> Iterator[Outcome]:
    """The work inside ends here, whatever goes wrong with it; the outcome says what did."""
    outcome = Outcome()
    try:
        yield outcome
    except Exception as fault:  # noqa: BLE001 - ours or the machine's: what is behind it must go on
        outcome.fault = fault


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Log whatever goes wrong with the named thing; the next look at it tries again."""
    with caught() as outcome:
        yield
    if outcome.fault is not None:
        log.error("The step of %s failed; it is tried again.", what, exc_info=outcome.fault)
