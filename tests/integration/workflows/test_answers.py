"""Answers of base models and tuned ones, each asked and paid once, by every way (product rows 1.12, 1.14)."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import httpx
import pytest

from sessions import queries
from sessions.actions import gates, moves, spending
from sessions.models import Serving, TuningSession
from sessions.states import Status
from tests.factories import QWEN
from tests.integration.workflows.desk import (
    CHAT,
    LEASE,
    OSS,
    ROWS,
    SERVERLESS,
    prompts,
    questions,
    strike,
    tuned,
)
from tests.integration.workflows.house import Killed, die, lost
from workflows.answers import Sampling, Subject, collect, prompt_set
from workflows.answers.live import AT_ONCE
from workflows.fireworks import inference
from workflows.fireworks.errors import AccountSuspended, CallForbidden, Temporary
from workflows.outcomes import Failed


def test_a_serverless_model_is_asked_each_row_once(desk):
    """Row 2.4: a base model that is served serverless needs nothing of ours."""
    desk.all(SERVERLESS)
    answers = desk.answers(SERVERLESS)
    assert [each.row for each in answers] == list(range(ROWS))
    assert all(each.text and each.is_over and each.attempt == 1 for each in answers)
    assert {each.detail["way"] for each in answers} == {"serverless"}
    assert len({each.detail["seed"] for each in answers}) == ROWS
    assert set(desk.asked().values()) == {1}
    line = desk.session.ledger.get(item=f"inference:heldout:{SERVERLESS.key}")
    used = [(each.detail["prompt_tokens"], each.detail["completion_tokens"]) for each in answers]
    expected = sum(Decimal(p) * Decimal("0.07") + Decimal(a) * Decimal("0.30") for p, a in used) / 1_000_000
    assert line.actual == expected.quantize(Decimal("0.000001"))
    assert line.gap
    assert desk.step(SERVERLESS) is None
    assert sum(desk.asked().values()) == ROWS


def test_a_model_that_is_not_serverless_is_answered_by_a_batch_job(desk):
    """Row 2.4: half the price, no deployment; answers come in any order and are joined by their id."""
    subject = Subject.base(QWEN)
    desk.all(subject)
    answers = desk.answers(subject)
    assert [each.row for each in answers] == list(range(ROWS))
    for each in answers:
        assert f"Number {each.row}:" in each.text
        assert each.detail["way"] == "batch"
    assert not desk.asked()
    assert len(desk.house.remote("batchInferenceJobs")) == 1


def test_all_candidates_of_a_base_model_share_one_deployment(desk):
    """Row 2.4: loaded onto it one by one, asked each under its own name; gone after the last answer."""
    subjects = tuned(desk, 8, 16)
    desk.order = ("multi_lora",)
    desk.line(f"deployment:heldout:{QWEN}", "8.00")
    desk.all(*subjects)
    (place,) = desk.house.wire.created("deployments")
    assert place["baseModel"] == QWEN
    assert place["enableAddons"]
    assert place["autoscalingPolicy"]["scaleToZeroWindow"] == "300s"
    assert place["minReplicaCount"] == 0
    assert [each["model"] for each in desk.house.wire.created("deployedModels")] == [
        subject.model for subject in subjects
    ]
    for subject in subjects:
        answers = desk.answers(subject)
        adapter = subject.model.rsplit("/", 1)[-1]
        assert len(answers) == ROWS
        assert all(adapter in each.text for each in answers), answers[0].text
    assert desk.house.remote("deployments") == []
    assert desk.session.events.filter(kind="torn-down").count() == 1
    line = desk.session.ledger.get(item=f"deployment:heldout:{QWEN}")
    assert line.actual > 0
    assert "an hour" in line.gap
    assert desk.step(*subjects) is None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_what_was_answered_before_a_worker_was_killed_is_not_asked_again(desk, after):
    """Row 1.14: only what was under way at the kill is asked again, under the next attempt, and counted; what
    was not sent yet is asked for the first time."""
    strike(desk, 70, partial(die, after=after))
    with pytest.raises(Killed):
        desk.step(SERVERLESS)
    stored = {each.row for each in desk.answers(SERVERLESS) if each.is_over}
    under_way = {each.row for each in desk.answers(SERVERLESS) if not each.is_over}
    assert 0 < len(under_way) <= AT_ONCE
    assert len(stored) >= 70 - AT_ONCE
    desk.house.wire.faults.clear()
    desk.house.clock.pass_by(LEASE)
    desk.session.lease = ""
    desk.all(SERVERLESS)
    assert all(each.is_over for each in desk.answers(SERVERLESS))
    asked = desk.asked()
    assert {row for row in range(ROWS) if asked[f"Number {row}: which colour?"] > 1}.isdisjoint(stored)
    again = {each.row for each in desk.answers(SERVERLESS) if each.attempt == 2}
    assert again == under_way
    (event,) = desk.session.events.filter(kind="asked-again")
    assert event.data["rows"] == len(again)
    line = desk.session.ledger.get(item=f"inference:heldout:{SERVERLESS.key}")
    assert "billed twice" in line.gap
    assert line.reserved == Decimal("1.00")


def test_five_kills_within_completions_repeat_only_what_was_under_way(desk):
    """Row 1.14: each time no more than the requests under way, and these alone count as asked again; no row
    with a stored answer is asked again, and in the end each row has one."""
    rows, sampling = 240, Sampling(max_tokens=16, seed=42)
    kept = set()
    for kill in range(5):
        before = sum(desk.asked().values())
        strike(desk, 60, partial(die, after=bool(kill % 2)))
        work = desk.work()
        with pytest.raises(Killed):
            collect(work, prompt_set(work, "heldout", questions(rows), sampling), [SERVERLESS])
        desk.house.wire.faults.clear()
        desk.house.clock.pass_by(LEASE)
        desk.session.lease = ""
        stored = {each.row for each in desk.answers(SERVERLESS) if each.is_over}
        sent = sum(desk.asked().values()) - before
        assert stored > kept
        assert 60 <= sent <= len(stored - kept) + AT_ONCE
        kept = stored
    desk.all(SERVERLESS)
    asked, answers = desk.asked(), desk.answers(SERVERLESS)
    assert sorted(each.row for each in answers if each.is_over) == list(range(rows))
    assert sum(asked.values()) - rows <= 5 * AT_ONCE
    repeated = {row for row in range(rows) if asked[f"Number {row}: which colour?"] > 1}
    again = {each.row for each in answers if each.attempt > 1}
    assert repeated <= again
    assert len(again) <= 5 * AT_ONCE


def test_a_worker_that_lost_its_lease_stores_nothing(desk):
    """Row 1.14: its successor asks; what the slower one finds is dropped."""
    work = desk.work()
    prepared = prompts(work)
    TuningSession.objects.filter(pk=desk.session.pk).update(lease="somebody else's")
    with pytest.raises(moves.LeaseLost):
        collect(work, prepared, [SERVERLESS], desk.order)
    assert desk.answers(SERVERLESS) == []
    assert not desk.asked()


def test_a_row_that_is_refused_for_good_is_over_and_the_others_are_answered(desk):
    """Row 2.4: the provider's own words are kept, and the row is not asked again."""
    refusal = {"error": {"message": "the prompt is too long", "code": "INVALID_ARGUMENT"}}
    strike(desk, 5, lambda _ask: httpx.Response(400, json=refusal))
    desk.all(SERVERLESS)
    (refused,) = [each for each in desk.answers(SERVERLESS) if each.error]
    assert (refused.error, refused.text) == ("the prompt is too long", "")
    assert desk.session.events.get(kind="answered").data["refused"] == 1
    (progress,) = queries.answer_progress(desk.session)
    assert (progress.over, progress.errors, progress.rows, progress.ended) == (ROWS, 1, ROWS, True)
    assert sum(desk.asked().values()) == ROWS


def test_a_passing_fault_keeps_the_attempt_where_nothing_was_billed(desk):
    """Row 1.15: refused before anything was done is no second bill; a lost answer may be one."""
    desk.house.wire.refuse("POST", CHAT, 429, times=1000, error={"message": "slow down"})
    with pytest.raises(Temporary, match="slow down"):
        desk.step(SERVERLESS)
    desk.house.wire.faults.clear()
    strike(desk, 7, lost)
    desk.all(SERVERLESS)
    assert sum(each.attempt > 1 for each in desk.answers(SERVERLESS)) == 1


def test_an_account_in_trouble_stops_the_asking_and_loses_no_answer(desk):
    """Row 1.15: a person must act; what was answered until then is kept."""
    suspended = {"error": {"message": "spend limit reached", "code": "PRECONDITION_FAILED"}}
    strike(desk, 20, lambda _ask: httpx.Response(412, json=suspended))
    with pytest.raises(AccountSuspended):
        desk.step(SERVERLESS)
    assert sum(desk.asked().values()) < ROWS
    (progress,) = queries.answer_progress(desk.session)
    assert 0 < progress.over < ROWS
    assert not progress.ended
    desk.house.wire.faults.clear()
    desk.all(SERVERLESS)
    assert sum(desk.asked().values()) == ROWS + 1  # only the refused one twice
    assert {each.attempt for each in desk.answers(SERVERLESS)} == {1}


def test_without_a_line_of_the_approved_plan_nothing_is_asked(desk):
    """Row 1.7: neither by us nor by the client, whoever calls it."""
    desk.session.ledger.all().delete()
    with pytest.raises(spending.NotApproved):
        desk.step(SERVERLESS)
    with pytest.raises(CallForbidden):
        inference.complete(desk.work().fireworks, {"messages": []}, inference.addresses(OSS))
    assert not desk.asked()


def test_answers_that_may_pass_the_approved_amount_ask_a_person(desk):
    """Row 1.7: nothing is asked before somebody approves more."""
    desk.session.ledger.update(high="11.00")
    with pytest.raises(spending.ApprovalExceeded):
        desk.step(SERVERLESS)
    assert not desk.asked()
    assert not Serving.objects.exists()


def test_a_refused_way_is_remembered_and_the_next_one_goes_on(desk):
    """Row 2.4: with the provider's words in the event; a restart does not try the refused one again."""
    (subject,) = tuned(desk, 8)
    desk.line(f"deployment:heldout:{QWEN}", "8.00")
    desk.order = ("batch", "multi_lora", "live_merge")
    desk.house.wire.refuse("POST", "/batchInferenceJobs", 400, 1, code=3, message="no batches for this model")
    desk.house.wire.refuse("POST", "/deployments", 400, 1, code=3, message="addons are not supported")
    desk.all(subject)
    serving = desk.serving(subject)
    assert serving.way == "live_merge"
    assert serving.refused == {
        "batch": "no batches for this model", "multi_lora": "addons are not supported",
    }  # fmt: skip
    assert [each.data["theirs"] for each in desk.session.events.filter(kind="way-refused")] == [
        "no batches for this model", "addons are not supported",
    ]  # fmt: skip
    assert {each.detail["way"] for each in desk.answers(subject)} == {"live_merge"}
    assert len(desk.house.wire.created("batchInferenceJobs")) == 1
    assert len(desk.house.wire.created("deployments")) == 2
    assert desk.house.remote("deployments") == []


def test_when_no_way_is_left_the_failure_names_them_all(desk):
    """Row 1.15: what was refused, by whom, in which words."""
    desk.house.wire.refuse("POST", "/batchInferenceJobs", 400, 9, code=3, message="no batches for this model")
    outcome = desk.step(Subject.base(QWEN))
    assert isinstance(outcome, Failed)
    assert "no batches for this model" in outcome.failure.ours
    assert "not served serverless" in outcome.failure.ours


def test_a_row_that_a_batch_refuses_is_over_and_the_others_are_answered(desk):
    """Facts 7.2: refusals come in a file of their own, joined by the same id."""
    subject, rows, work = Subject.base(QWEN), questions(), desk.work()
    rows[3] = [{"role": "user", "content": "word " * 5_000}]
    prompt_set(work, "heldout", rows, Sampling(max_tokens=16, seed=42))
    desk.all(subject)
    answers = desk.answers(subject)
    (refused,) = [each for each in answers if each.error]
    assert refused.row == 3
    assert "token" in refused.error
    assert all(each.text for each in answers if each != refused)
    assert len(desk.house.remote("batchInferenceJobs")) == 1


def test_a_batch_that_expires_is_continued(desk):
    """Facts 7.2: what it answered is kept, the rest goes to a job that continues it."""
    subject = Subject.base(QWEN)
    desk.step(subject)
    (job,) = desk.house.remote("batchInferenceJobs")
    while desk.house.state(job["name"]) != "JOB_STATE_EXPIRED":
        desk.house.pass_time(2 * 86_400)
    desk.all(subject)
    first, second = desk.house.wire.created("batchInferenceJobs")
    assert second["continuedFromJobName"] == job["name"]
    assert second["inputDatasetId"] == first["inputDatasetId"]
    assert all(each.is_over and each.attempt == 1 for each in desk.answers(subject))


def test_a_worker_killed_around_a_batch_makes_one_job(desk):
    """Row 1.14: the rows that were marked belong to the job that is found under its name."""
    subject = Subject.base(QWEN)
    desk.house.wire.kill("POST", "/batchInferenceJobs", after=True)
    with pytest.raises(Killed):
        desk.all(subject)
    desk.house.clock.pass_by(LEASE)
    desk.session.lease = ""
    desk.all(subject)
    assert len(desk.house.remote("batchInferenceJobs")) == 1
    assert {each.attempt for each in desk.answers(subject)} == {1}


def test_a_cancelled_session_deletes_its_temporary_deployment(desk):
    """Row 1.10: and says what it left; what was answered is settled."""
    (subject,) = tuned(desk, 8)
    desk.line(f"deployment:heldout:{QWEN}", "8.00")
    desk.order = ("multi_lora",)
    desk.step(subject)
    assert len(desk.house.remote("deployments")) == 1
    moves.wait(desk.session, desk.house.clock(), desk.house.clock())
    gates.cancel(desk.session, desk.session.owner, desk.house.clock())
    desk.house.drive(desk.session)
    assert desk.session.status == Status.CANCELLED
    assert desk.house.remote("deployments") == []
    assert desk.serving(subject).is_over
    assert desk.session.ledger.get(item=f"deployment:heldout:{QWEN}").actual is not None


def test_a_batch_that_runs_when_the_session_is_cancelled_is_told_of(desk):
    """Row 1.10: there is no way to cancel one, so nobody waits for it and everybody is told."""
    subject = Subject.base(QWEN)
    desk.step(subject)
    moves.wait(desk.session, desk.house.clock(), desk.house.clock())
    gates.cancel(desk.session, desk.session.owner, desk.house.clock())
    desk.house.drive(desk.session)
    assert desk.session.status == Status.CANCELLED
    assert desk.session.events.filter(kind="answered", text__contains="cannot be cancelled").exists()
