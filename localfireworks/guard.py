"""Keeps what fails in the background to itself: the rest of the loop goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("localfireworks")


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Log whatever goes wrong with the named thing; the next look at it tries again."""
    try:
        yield
    except Exception:  # one broken row must not stop what is behind it
        log.exception("The step of %s failed; it is tried again.", what)
