"""How many requests came in the last minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MINUTE = 60.0


@dataclass
class Window:
    """The times of the requests of the last minute."""

    times: deque[float] = field(default_factory=deque)

    def count(self, now: float) -> int:
        while self.times and now - self.times[0] >= MINUTE:
            self.times.popleft()
        return len(self.times)

    def take(self, now: float, limit: int) -> float:
        """Count one more request; or, when there are `limit`, the seconds until one more may come."""
        if self.count(now) < limit:
            self.times.append(now)
            return 0.0
        return self.times[0] + MINUTE - now if self.times else MINUTE


@dataclass
class Traffic:
    """Of all calls, and of inference."""

    calls: Window = field(default_factory=Window)
    inference: Window = field(default_factory=Window)
