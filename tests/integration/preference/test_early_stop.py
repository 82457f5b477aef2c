"""An early stop against the order of things: jobs that end between two looks, and what a dead worker left."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest

from sessions.states import CandidateState, GateKind
from tests.integration.preference.conftest import pairs, preference
from tests.integration.workflows.house import Fault, Killed, die

TARGET = ("win_rate", 0.75)
CHAT = "/inference/v1/chat/completions"
VERDICTS = 8  # of one comparison: four held-out prompts in both orders


def stopping(house, **values: Any):
    """An approved session that stops once a model wins three quarters."""
    session = preference(house, pairs(20), stop_early=True, target=TARGET, deploy=False, **values)
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    return session


def test_a_job_that_ends_between_two_looks_is_measured_before_another_starts(house, client):
    house.trainer.hold = True
    session = stopping(house, betas=(0.1, 0.2))
    house.drive(session, until=lambda: len(house.trainer.running) == 1)
    looks = count()

    def strike(ask: Any) -> httpx.Response:
        seen: httpx.Response = ask()
        if next(looks) == 0:
            house.trainer.finish()
            for _ in range(4):
                house.pass_time()
        return seen

    job = session.candidates.get(number=1).job
    house.wire.faults.append(Fault("GET", job, strike, times=10_000))
    house.pass_time()
    house.drive(session)
    assert next(looks) > 1
    assert house.gate(session).kind == GateKind.PROMOTION
    assert len(house.remote("dpoJobs")) == 1
    board = client.get(f"/s/{session.public_id}/?tab=scoreboard").content.decode()
    assert "Win rate" in board
    assert "sort=validation_loss" not in board
    assert "100.0%" in board


def test_a_job_that_a_dead_worker_started_is_found_and_measured(house):
    """It was killed between the call and the note of it: the job runs and costs, so it is not left out."""
    house.trainer.hold = True
    session = stopping(house, betas=(0.1, 0.2), parallel_jobs=2)
    calls = count(1)

    def strike(ask: Any) -> httpx.Response:
        return partial(die, after=True)(ask) if next(calls) == 2 else ask()

    house.wire.faults.append(Fault("POST", "dpoJobs", strike, times=10))
    with pytest.raises(Killed):
        house.drive(session)
    house.wire.faults.clear()
    house.clock.pass_by(600)  # its lease is over
    for _ in range(3):
        house.pass_time()
    house.trainer.finish()
    for _ in range(4):
        house.pass_time()
    house.drive(session, until=session.evaluations.exists)
    house.advance(session)
    house.trainer.hold = False
    for folder in list(house.trainer.running):
        house.trainer.finish(folder)
    house.drive(session)
    assert {each.state for each in session.candidates.all()} == {CandidateState.DONE}
    assert {each.job for each in session.candidates.all()} == {
        each["name"] for each in house.remote("dpoJobs")
    }
    assert session.ledger.get(item="training:candidate:2").gap != "not started, since the target was reached"


@pytest.mark.parametrize("jobs", [1, 2], ids=["one at a time", "two at a time"])
def test_a_worker_that_dies_after_the_verdict_that_reached_it_starts_nothing(house, jobs):
    """It dies before it reads the answer; the next worker finds the target reached."""
    session = stopping(house, betas=(0.1, 0.2, 0.3), parallel_jobs=jobs)
    verdicts = count(1)

    def strike(ask: Any) -> httpx.Response:
        is_verdict = b"answer_a" in house.wire.bodies[-1]
        last = is_verdict and next(verdicts) == VERDICTS
        return partial(die, after=True)(ask) if last else ask()

    house.wire.faults.append(Fault("POST", CHAT, strike, times=10_000))
    with pytest.raises(Killed):
        house.drive(session)
    house.wire.faults.clear()
    started = len(house.remote("dpoJobs"))
    house.clock.pass_by(600)  # its lease is over
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION
    assert len(house.remote("dpoJobs")) == started == jobs
    states = list(session.candidates.values_list("state", flat=True))
    assert states == ["done"] * jobs + ["cancelled"] * (3 - jobs)


def test_a_job_without_curves_yet_is_there_all_the_same(house):
    session = preference(house, pairs(20), betas=(0.1,), deploy=False)
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    missing = {"error": {"code": "NOT_FOUND", "message": "no metrics file yet"}}
    answer = partial(httpx.Response, 404, json=missing)
    house.wire.faults.append(Fault("GET", ":getMetricsFileEndpoint", lambda _ask: answer(), times=1))
    house.drive(session)
    assert session.candidates.get().state == CandidateState.DONE
