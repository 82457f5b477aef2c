"""Ports for servers that tests start.

From below the range in which the system picks ports for outgoing connections: no connection of another test
can take one between our look and the server's start, or while a killed server is away.
"""

from __future__ import annotations

import random
import socket

RANGE = range(18_000, 31_000)
RANDOM = random.SystemRandom()  # processes that run at the same time must not agree


def free_port(neighbours: int = 1) -> int:
    """The first of so many neighbouring loopback ports that nobody uses."""
    for _attempt in range(200):
        first = RANDOM.choice(RANGE)
        if all(is_free(first + step) for step in range(neighbours)):
            return first
    raise AssertionError(f"no {neighbours} neighbouring free ports")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
