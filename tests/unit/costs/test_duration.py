"""Time ranges follow from their stated assumptions."""

from __future__ import annotations

from typing import Any

from sessions.costs import TimeRange, time_range
from sessions.specification import CandidateConfig

EIGHT = tuple(CandidateConfig(number, "m", 16, 1e-4, 1) for number in range(1, 9))
ARGUMENTS: dict[str, Any] = {
    "sample_tokens": 200_000,
    "full_tokens": 1_000_000,
    "parallel_jobs": 6,
    "final_run": True,
}


def test_a_sliding_window_of_jobs_then_the_final_run_then_deployment() -> None:
    # fast: eight jobs of 300 + 20 s, six at a time: two rounds; then 300 + 100 s; then 300 s.
    # slow: two rounds of 600 + 100 s; then 600 + 500 s; then 900 s.
    result = time_range(EIGHT, **ARGUMENTS)
    assert (result.low, result.high) == (2 * 320 + 400 + 300, 2 * 700 + 1100 + 900)
    assert result.words == "22 to 57 minutes"
    assert "Assumes" in result.how


def test_more_jobs_at_a_time_and_less_to_do_take_less() -> None:
    base = time_range(EIGHT, **ARGUMENTS)
    assert time_range(EIGHT, **{**ARGUMENTS, "parallel_jobs": 8}).high == base.high - 700
    assert time_range(EIGHT, **{**ARGUMENTS, "final_run": False}).high == base.high - 1100
    assert time_range(EIGHT, **ARGUMENTS, deploy=False).low == base.low - 300
    assert time_range((), **{**ARGUMENTS, "final_run": False}, deploy=False).high == 0


def test_a_rehearsal_takes_seconds_and_its_token_budget_caps_each_job() -> None:
    short = time_range(EIGHT[:3], **ARGUMENTS, rehearsal=True)
    assert short.high < 300
    assert "Rehearsal" in short.how
    unlimited = time_range(EIGHT[:3], **ARGUMENTS, rehearsal=True, token_budget=0)
    assert unlimited.high > short.high


def test_words_choose_a_fitting_unit() -> None:
    assert TimeRange(20, 90, "").words == "20 to 90 seconds"
    assert TimeRange(20, 600, "").words == "1 to 10 minutes"
    assert TimeRange(5400, 14400, "").words == "1.5 to 4.0 hours"
    assert TimeRange(20, 90, "why").to_json() == {
        "low": 20,
        "high": 90,
        "how": "why",
        "words": "20 to 90 seconds",
    }
