"""Faults while answers are collected: nothing is lost, asked twice for nothing, or ended too early."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from sessions.actions import gates, moves
from sessions.models import Resource, Serving
from tests.factories import QWEN
from tests.integration.workflows.desk import LEASE, ROWS, SERVERLESS, Desk, prompts, strike
from tests.integration.workflows.house import Fault, Killed
from workflows import engine
from workflows.answers import Subject, collect
from workflows.connect import is_covered
from workflows.fireworks import batch_results
from workflows.fireworks.client import Fireworks
from workflows.fireworks.errors import Temporary
from workflows.fireworks.retrying import Retries
from workflows.outcomes import Failed, Wait
from workflows.work import Work

RED = {
    "choices": [{"message": {"content": "red"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1},
}
BATCHES = "/batchInferenceJobs"


@dataclass
class Slow:
    """A model that takes a second for each answer, by the clock of the portal."""

    desk: Desk
    body: dict[str, Any] = field(default_factory=lambda: RED)
    status: int = 200
    asked: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        with self.lock:
            self.asked += 1
            self.desk.house.clock.now += timedelta(seconds=1.2)
        return httpx.Response(self.status, json=self.body)

    def work(self) -> Work:
        """One step that asks this model."""
        work = self.desk.work()
        work.fireworks = Fireworks(
            "http://127.0.0.1:9", "any", "rehearsal", transport=httpx.MockTransport(self),
            asks=lambda model: is_covered(work.session, model), retries=Retries(attempts=1),
        )  # fmt: skip
        return work


def test_a_step_whose_time_runs_out_within_its_last_slice_comes_again(desk):
    """Row 1.14: what was marked and not sent is open, so the subject is not over."""
    slow = Slow(desk)
    work = slow.work()
    assert isinstance(collect(work, prompts(work), [SERVERLESS]), Wait)
    assert 0 < slow.asked < ROWS
    assert not desk.serving(SERVERLESS).is_over
    for _ in range(20):
        work = slow.work()
        if collect(work, prompts(work), [SERVERLESS]) is None:
            break
    assert slow.asked == ROWS
    assert all(each.text == "red" for each in desk.answers(SERVERLESS))


def test_an_answer_without_a_message_is_asked_for_again_and_ends_nothing(desk):
    """Row 1.15: like a lost call, under the next attempt."""
    strike(desk, 9, lambda _ask: httpx.Response(200, json={"choices": []}))
    desk.all(SERVERLESS)
    assert sorted(each.attempt for each in desk.answers(SERVERLESS)) == [1] * (ROWS - 1) + [2]
    assert all(each.text for each in desk.answers(SERVERLESS))


def test_where_no_answer_has_a_message_it_backs_off(desk):
    slow = Slow(desk, {"choices": []})
    work = slow.work()
    with pytest.raises(Temporary, match="no message"):
        collect(work, prompts(work), [SERVERLESS])
    assert slow.asked < ROWS


def test_a_way_that_refuses_the_first_rows_alike_is_left(desk):
    """Row 2.4: not every row of thousands is asked and refused; the next way asks them all."""
    desk.order = ("serverless", "batch")
    error = {"error": {"message": "response_format is not supported", "code": "INVALID_ARGUMENT"}}
    slow = Slow(desk, error, 400)
    work = slow.work()
    outcome = collect(work, prompts(work), [SERVERLESS], ["serverless"])
    assert isinstance(outcome, Failed)
    assert "response_format is not supported" in outcome.failure.ours
    assert slow.asked <= 32
    assert not any(each.is_over for each in desk.answers(SERVERLESS))
    desk.all(SERVERLESS)
    answers = desk.answers(SERVERLESS)
    assert all(each.text and each.attempt == 1 for each in answers)


def test_texts_that_no_database_takes_are_kept_all_the_same(desk):
    """PostgreSQL refuses a NUL and half a surrogate pair, also inside JSON."""
    cut = {"content": "r\0d\ud83d", "reasoning_content": "so\0"}
    strike(desk, 2, lambda _ask: httpx.Response(200, content=json.dumps({"choices": [{"message": cut}]})))
    desk.all(SERVERLESS)
    (found,) = [each for each in desk.answers(SERVERLESS) if each.text.startswith("r\ufffdd")]
    assert found.text == "r\ufffdd?"
    assert found.detail["reasoning"] == "so\ufffd"


def test_a_batch_whose_answers_cannot_be_read_is_read_again(desk):
    """Row 1.14: what was read is kept, and no second job is paid for."""
    subject = Subject.base(QWEN)
    desk.house.wire.faults.append(
        Fault(
            "GET", ":getDownloadEndpoint", lambda _ask: httpx.Response(200, json={"filenameToSignedUrls": 1})
        )
    )
    met = 0
    for _ in range(60):
        try:
            if desk.step(subject) is None:
                break
        except Temporary:
            met += 1
        desk.house.pass_time()
    assert met == 1
    assert len(desk.house.remote("batchInferenceJobs")) == 1
    assert all(each.text and each.attempt == 1 for each in desk.answers(subject))
    assert not desk.session.events.filter(kind="asked-again").exists()


def test_rows_of_a_refused_batch_keep_their_attempt(desk):
    """Row 1.14: the refusal and the release of its rows are one write; the next way takes them all."""
    desk.order = ("batch", "serverless")
    desk.house.wire.refuse("POST", BATCHES, 400, 9, code=3, message="no batches for this model")
    desk.all(SERVERLESS)
    answers = desk.answers(SERVERLESS)
    assert {each.detail["way"] for each in answers} == {"serverless"}
    assert {each.attempt for each in answers} == {1}


def test_a_second_job_does_not_continue_one_that_was_never_made(desk):
    """Row 1.14: rows that were released while the refusal was not recorded go into a job of their own."""
    subject = Subject.base(QWEN)
    desk.house.wire.kill("POST", BATCHES, after=False)
    with pytest.raises(Killed):
        desk.all(subject)
    desk.house.clock.pass_by(LEASE)
    desk.session.lease = ""
    desk.session.answers.update(detail={"way": "batch", "not_asked": "the batch job was refused"})
    desk.all(subject)
    assert len(desk.house.remote("batchInferenceJobs")) == 1


def test_a_worker_that_lost_its_lease_turns_to_no_other_way(desk):
    """Row 1.14: also what is no answer is written by the one that holds the lease."""

    def taken(_ask):
        type(desk.session).objects.filter(pk=desk.session.pk).update(lease="somebody else's")
        return httpx.Response(400, json={"code": 3, "message": "no batches for this model"})

    desk.house.wire.faults.append(Fault("POST", BATCHES, taken))
    with pytest.raises(moves.LeaseLost):
        desk.all(Subject.base(QWEN))
    assert Serving.objects.get().refused == {}
    assert Resource.objects.get(kind="batch").created_at is None


def test_a_line_of_a_batch_that_is_no_answer_is_that_rows_fault_alone():
    found = batch_results.row(b'{"custom_id": "7", "response": {"id": "x"}}', failed=False, where="d/f")
    assert (found.custom_id, found.answer, found.broken) == ("7", None, True)


@pytest.mark.parametrize(("seconds", "messages"), [(2, 1), (0, 0)])
def test_a_step_that_has_more_to_do_is_woken_at_once_unless_it_would_spin(house, caplog, seconds, messages):
    """Without a broker the message is lost, which is told, and the sweep comes."""
    session = house.start()

    def connect(session, _observe):
        house.clock.pass_by(seconds)
        gates.cancel(session, session.owner, house.clock())
        raise RuntimeError("cancelled meanwhile")

    engine.advance(session.public_id, connect_for=connect, clock=house.clock)
    told = [each for each in caplog.messages if "workflows.advance waits for the next sweep" in each]
    assert len(told) == messages
