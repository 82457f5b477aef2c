"""How long a plan takes, from stated assumptions. A range of seconds, never a promise."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sessions.specification import CandidateConfig


@dataclass(frozen=True)
class Pace:
    """Seconds before a job learns, training tokens per second, seconds to a deployment that answers."""

    start: int
    tokens_per_second: int
    deployment: int


# Facts section 4.3: a 200-row job on an 8B took 371 s, 48 rows x 3 epochs on a 30B 9 min, nearly all of it
# start-up. Section 6.5: a deployment answered after 5 to more than 10 minutes. Throughput is assumed.
FAST, SLOW = Pace(300, 10_000, 300), Pace(600, 2_000, 900)
ASSUMED = (
    "Assumes 5 to 10 minutes to start a job, 2,000 to 10,000 tokens per second after that, "
    "and 5 to 15 minutes to deploy; waiting for free GPUs is not included."
)
# Local Fireworks on two cores: stand-ins of a few million parameters, each job cut to a token budget.
LOCAL_FAST, LOCAL_SLOW = Pace(2, 40_000, 1), Pace(6, 6_000, 5)
LOCAL_BUDGET, LOCAL_JOBS = 200_000, 2
ANSWERS = "Asking models and comparing their answers comes on top: minutes, or longer where batch jobs queue."
LOCAL_ASSUMED = (
    "Rehearsal: assumes 2 to 6 seconds to start a job, 6,000 to 40,000 tokens per second after that, "
    "at most 200,000 tokens a job and two jobs at a time on this machine."
)


@dataclass(frozen=True)
class TimeRange:
    """Seconds from approval to the deployed model, without the time people take to decide."""

    low: int
    high: int
    how: str

    @property
    def words(self) -> str:
        """`12 to 25 minutes`, `20 to 90 seconds`."""
        if self.high < 120:
            return f"{self.low} to {self.high} seconds"
        if self.high < 7200:
            return f"{max(1, round(self.low / 60))} to {round(self.high / 60)} minutes"
        return f"{self.low / 3600:.1f} to {self.high / 3600:.1f} hours"

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"words": self.words}


def time_range(
    candidates: Sequence[CandidateConfig],
    *,
    sample_tokens: int,
    full_tokens: int,
    parallel_jobs: int,
    final_run: bool,
    deploy: bool = True,
    rehearsal: bool = False,
    answers: bool = False,
    token_budget: int = LOCAL_BUDGET,
) -> TimeRange:
    """Sweep, full-data run and deployment. Token counts are for one epoch; `token_budget` 0 means none.
    `answers`: models are asked as well, which takes as long as their queues, and is only said."""
    paces, how = ((LOCAL_FAST, LOCAL_SLOW), LOCAL_ASSUMED) if rehearsal else ((FAST, SLOW), ASSUMED)
    slots = min(parallel_jobs, LOCAL_JOBS) if rehearsal else parallel_jobs
    limit = token_budget if rehearsal and token_budget else None
    sweep = [_capped(sample_tokens * each.epochs, limit) for each in candidates]
    final = _capped(full_tokens * max((each.epochs for each in candidates), default=0), limit)
    low, high = (_seconds(pace, sweep, slots, final if final_run else None, deploy=deploy) for pace in paces)
    return TimeRange(low, high, f"{how} {ANSWERS}" if answers else how)


def _capped(tokens: int, limit: int | None) -> int:
    return tokens if limit is None else min(tokens, limit)


def _seconds(pace: Pace, sweep: Sequence[int], slots: int, final: int | None, *, deploy: bool) -> int:
    ends = [0.0] * max(1, min(slots, len(sweep)))
    for tokens in sweep:  # a sliding window: the next starts as soon as one ends
        heapq.heappush(ends, heapq.heappop(ends) + pace.start + tokens / pace.tokens_per_second)
    last = 0.0 if final is None else pace.start + final / pace.tokens_per_second
    return round(max(ends) + last + pace.deployment * deploy)
