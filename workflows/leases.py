"""Keep a session's lease while a step works, however long a call or a file takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from django.db import DatabaseError, connection

from sessions.actions import moves
from sessions.models import TuningSession

BEAT_SECONDS = moves.LEASE.total_seconds() / 3


@contextmanager
def held(session: TuningSession, clock: Callable[[], datetime]) -> Iterator[None]:
    """Renew the lease every BEAT_SECONDS from a thread of its own, which dies with the process.

    When the lease is lost the beat stops; the step finds out when it makes something or at its end.
    """
    stop = threading.Event()
    thread = threading.Thread(target=beat, args=(session, clock, BEAT_SECONDS, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def beat(session: TuningSession, clock: Callable[[], datetime], every: float, stop: threading.Event) -> None:
    """The thread's body; its database connection is its own and closed at the end."""
    try:
        while not stop.wait(every):
            with suppress(DatabaseError):  # busy or away for a moment: the next beat is still in time
                moves.renew(session, clock())
    except moves.LeaseLost:
        return
    finally:
        connection.close()
