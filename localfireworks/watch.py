"""How long an answer took, as headers and metrics (fireworks-api.md, 1.8). Seconds."""

from __future__ import annotations

import secrets
import time


class Watch:
    """Runs from the moment a request came in."""

    def __init__(self) -> None:
        self._start, self._first = time.monotonic(), 0.0

    def first(self) -> None:
        """A token is there; only the first call counts."""
        self._first = self._first or time.monotonic()

    def opening(self, prompt: int) -> dict[str, str]:
        """The headers that are known before the answer is."""
        return {
            "x-request-id": secrets.token_hex(16),
            "fireworks-prompt-tokens": str(prompt),
        }

    def headers(self, prompt: int, cached: int) -> dict[str, str]:
        """All headers, once the answer is whole."""
        return self.opening(prompt) | {
            "fireworks-cached-prompt-tokens": str(cached),
            "fireworks-server-time-to-first-token": f"{self._to_first():.3f}",
            "fireworks-server-processing-time": f"{time.monotonic() - self._start:.3f}",
        }

    def metrics(self, prompt: int, cached: int) -> dict[str, float]:
        """The same for `perf_metrics` of a body."""
        return {
            "prompt-tokens": prompt,
            "cached-prompt-tokens": cached,
            "server-time-to-first-token": round(self._to_first(), 3),
            "server-processing-time": round(time.monotonic() - self._start, 3),
        }

    def _to_first(self) -> float:
        return (self._first or time.monotonic()) - self._start
