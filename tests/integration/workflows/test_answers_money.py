"""What answers cost: approved for the way that is expected, asked about before a dearer one (row 1.7)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count

import httpx
import pytest

from sessions.actions import gates, spending
from sessions.costs import Estimate
from sessions.costs.inference import MICRO
from sessions.models import Answer, Gate, Plan, TuningSession
from sessions.states import Decision, GateKind
from tests.factories import QWEN, make_gate
from tests.integration.workflows.desk import CHAT, ROWS, SERVERLESS, Desk, strike, tuned
from tests.integration.workflows.house import Fault, lost
from workflows import engine
from workflows.answers import Load, Subject, priced
from workflows.faults import outcome_of
from workflows.outcomes import Failed, Wait

PLACES = f"deployment:heldout:{QWEN}"
BATCHES = "/batchInferenceJobs"


def approve(desk: Desk, *subjects: Subject, prompt_tokens: int = 10_000) -> Decimal:
    """A plan with these subjects, approved at its upper end, which is returned."""
    load, work = Load(ROWS, prompt_tokens, 8, 16), desk.work()
    found = priced(work, "heldout", dict.fromkeys(subjects, load), phase="evaluation", order=desk.order)
    body = {"ways": found.ways, "estimate": Estimate(found.lines).to_json()}
    plan = Plan.objects.create(session=desk.session, revision=1, digest="digest", body=body)
    make_gate(desk.session, plan=plan, decision=Decision.APPROVED)
    gates.fill_ledger(desk.session, plan)
    high = Estimate(found.lines).high
    TuningSession.objects.filter(pk=desk.session.pk).update(
        approved_amount=high, status="running", lease="", lease_until=None, wake_at=desk.house.clock()
    )
    desk.session.refresh_from_db()
    desk.house.wire.requests.clear()
    desk.house.wire.bodies.clear()
    return high


def test_a_refused_way_asks_before_a_dearer_one_and_goes_on_once_approved(desk):
    """Row 1.7: batch refused, spend gate, approved, and a multi-LoRA deployment answers."""
    (subject,) = tuned(desk, 8)
    desk.order = ("batch", "multi_lora")
    assert approve(desk, subject) < Decimal("0.01")
    desk.house.wire.refuse("POST", BATCHES, 400, 1, code=3, message="no batches for this model")
    with pytest.raises(spending.ApprovalExceeded) as stopped:
        desk.step(subject)
    assert desk.house.remote("deployments") == []
    engine.apply(desk.session, outcome_of(stopped.value, desk.session), desk.house.clock())
    gate = desk.house.gate(desk.session)
    assert gate.kind == GateKind.SPEND
    assert "no batches for this model" in gate.body["text"]
    assert Decimal(gate.body["amount"]) > 1
    desk.house.reply(desk.session, "", action=["approve"])
    desk.all(subject)
    assert {each.detail["way"] for each in desk.answers(subject)} == {"multi_lora"}
    assert desk.house.remote("deployments") == []
    assert desk.session.ledger.get(item=PLACES).actual > 0
    assert spending.committed(desk.session) <= desk.session.approved_amount


def test_the_difference_to_a_dearer_way_by_the_token_is_set_aside(desk):
    """Row 1.7: batch costs half of serverless; what is left of the approval decides."""
    desk.order = ("batch", "serverless")
    half = approve(desk, SERVERLESS)
    desk.house.wire.refuse("POST", BATCHES, 400, 9, code=3, message="no batches for this model")
    with pytest.raises(spending.ApprovalExceeded) as stopped:
        desk.step(SERVERLESS)
    assert abs(stopped.value.wanted - half) <= MICRO
    assert not desk.asked()
    TuningSession.objects.filter(pk=desk.session.pk).update(approved_amount=2 * half)
    desk.all(SERVERLESS)
    assert {each.detail["way"] for each in desk.answers(SERVERLESS)} == {"serverless"}
    assert (
        desk.session.ledger.get(item=f"inference:heldout:{SERVERLESS.key}").reserved
        == half + stopped.value.wanted
    )


def test_each_of_several_deployments_of_a_base_model_is_set_aside(desk):
    """Row 1.7: that the first one is settled leaves the second one covered."""
    subjects = tuned(desk, 8, 16)
    desk.order = ("live_merge",)
    high = approve(desk, *subjects)
    for _ in range(60):
        if desk.step(*subjects) is None:
            break
        if desk.session.resources.filter(kind="deployment").count() == 2:
            line = desk.session.ledger.get(item=PLACES)
            assert line.actual is not None or line.reserved >= high / 2
        desk.house.pass_time()
    assert desk.session.resources.filter(kind="deployment", state="gone").count() == 2
    line = desk.session.ledger.get(item=PLACES)
    assert 0 < line.actual < high
    assert line.gap.count("an hour") == 2
    assert len(desk.house.wire.calls("DELETE", "/deployments/")) == 2


def up(desk: Desk, subject: Subject) -> None:
    """The subject's temporary deployment is up and answers not yet."""
    strike(desk, 1, lambda _ask: httpx.Response(503, json={"error": {"code": "DEPLOYMENT_SCALING_UP"}}))
    while not desk.session.events.filter(kind="deployment-up").exists():
        assert isinstance(desk.step(subject), Wait)
        desk.house.pass_time()


def test_time_asleep_costs_nothing_and_time_in_use_needs_approval(desk):
    """Row 1.7: a deployment sleeps five minutes after its last answer; more than an hour of use is asked."""
    (subject,) = tuned(desk, 8)
    desk.order = ("multi_lora",)
    high = approve(desk, subject)
    up(desk, subject)
    desk.house.clock.pass_by(4 * 3600)
    given = {"opened_at": desk.house.clock(), "decided_at": desk.house.clock(), "decision": Decision.APPROVED}
    Gate.objects.create(session=desk.session, kind=GateKind.SPEND, **given)  # a person took that long
    assert isinstance(desk.step(subject), Wait)
    assert desk.session.ledger.get(item=PLACES).reserved == high
    since = desk.house.clock()
    desk.house.clock.pass_by(90 * 60)
    moments = [since + timedelta(minutes=4 * number) for number in range(22)]
    Answer.objects.bulk_create(
        Answer(
            session=desk.session, prompts="heldout", subject="candidate:9", row=row,
            detail={"way": "multi_lora"}, asked_at=moment, answered_at=moment,
        )
        for row, moment in enumerate(moments)
    )  # fmt: skip
    with pytest.raises(spending.ApprovalExceeded) as stopped:
        desk.step(subject)
    assert stopped.value.wanted == high


def test_a_deployment_that_never_comes_up_counts_as_refused(desk):
    """Row 2.4: the next way is taken instead of asking a person again and again."""
    (subject,) = tuned(desk, 8)
    desk.order = ("multi_lora",)
    approve(desk, subject)
    assert isinstance(desk.step(subject), Wait)
    desk.house.clock.pass_by(41 * 60)
    outcome = desk.step(subject)
    assert isinstance(outcome, Failed)
    assert "After 40 minutes" in outcome.failure.ours


def test_what_nobody_needs_is_taken_down_whatever_happens_to_another_subject(desk):
    """Row 1.10: a fault of one subject keeps no deployment of another one standing."""
    (subject,) = tuned(desk, 8)
    desk.line(PLACES, "8.00")
    desk.order = ("serverless", "multi_lora")
    desk.session.ledger.filter(item__endswith=SERVERLESS.key).delete()
    for _ in range(30):
        with pytest.raises(spending.NotApproved):
            desk.step(subject, SERVERLESS)
        desk.house.pass_time()
        if desk.session.events.filter(kind="torn-down").exists():
            break
    assert desk.house.remote("deployments") == []
    assert desk.serving(subject).is_over


def test_a_refused_deployment_frees_what_was_set_aside(desk):
    """Facts 6.1: a deployment is refused with 400 or 403; neither is a matter for a person yet."""
    (subject,) = tuned(desk, 8)
    desk.order = ("multi_lora",)
    approve(desk, subject)
    desk.house.wire.refuse("POST", "/deployments", 403, 1, code=7, message="not on this account's shapes")
    outcome = desk.step(subject)
    assert isinstance(outcome, Failed)
    assert "not on this account's shapes" in outcome.failure.ours
    assert desk.session.ledger.get(item=PLACES).actual == 0


def test_calls_whose_answers_were_lost_are_charged(desk):
    """Row 1.7: Fireworks may bill them, so they count as spent, at the most that they may cost."""
    strike(desk, 7, lost)
    desk.all(SERVERLESS)
    answers = desk.answers(SERVERLESS)
    (again,) = [each for each in answers if each.attempt == 2]
    prompt = sum(each.detail["prompt_tokens"] for each in answers) + again.detail["prompt_tokens"]
    told = sum(each.detail["completion_tokens"] for each in answers) + 16
    line = desk.session.ledger.get(item=f"inference:heldout:{SERVERLESS.key}")
    cost = (prompt * Decimal("0.07") + told * Decimal("0.30")) / 1_000_000
    assert line.actual == cost.quantize(Decimal("0.000001"))
    assert "1 call whose answer was lost" in line.gap


def dear(tokens: int):
    """Answers to prompts that have so many tokens each, whatever was estimated."""
    usage = {"prompt_tokens": tokens, "completion_tokens": 16}
    choice = {"message": {"content": "red"}, "finish_reason": "stop"}
    act = lambda _ask: httpx.Response(200, json={"choices": [choice], "usage": usage})  # noqa: E731
    return Fault("POST", CHAT, act, times=10_000)


def spent(desk: Desk, tokens: int) -> Decimal:
    """What Fireworks bills for all that came over the wire, in USD."""
    each = tokens * Decimal("0.07") + 16 * Decimal("0.30")
    return sum(desk.asked().values()) * each / 1_000_000


def test_answers_that_cost_more_than_was_estimated_stop_before_the_approved_amount(desk):
    """Row 1.7: whatever the estimate missed; once more is approved, they go on where they stopped."""
    desk.order = ("serverless",)
    high = approve(desk, SERVERLESS, prompt_tokens=1_000)
    desk.house.wire.faults.append(dear(120))
    assert spent(desk, 120) + ROWS * (120 * Decimal("0.07") + 16 * Decimal("0.30")) / 1_000_000 > high
    with pytest.raises(spending.ApprovalExceeded) as stopped:
        desk.all(SERVERLESS)
    assert 0 < sum(desk.asked().values()) < ROWS
    assert spent(desk, 120) <= high
    assert "more than was estimated" in str(stopped.value.why)
    engine.apply(desk.session, outcome_of(stopped.value, desk.session), desk.house.clock())
    assert desk.house.gate(desk.session).kind == GateKind.SPEND
    desk.house.reply(desk.session, "", action=["approve"])
    desk.all(SERVERLESS)
    assert set(desk.asked().values()) == {1}
    assert sum(desk.asked().values()) == ROWS
    assert spent(desk, 120) <= desk.session.approved_amount
    assert desk.session.gates.filter(kind=GateKind.SPEND).count() == 1


def test_what_the_approved_amount_still_holds_is_set_aside_without_asking(desk):
    """Row 1.7: a line may pass its estimate as long as the approved amount is kept."""
    desk.order = ("serverless",)
    high = approve(desk, SERVERLESS, prompt_tokens=1_000)
    TuningSession.objects.filter(pk=desk.session.pk).update(approved_amount=4 * high)
    desk.house.wire.faults.append(dear(120))
    desk.all(SERVERLESS)
    line = desk.session.ledger.get(item=f"inference:heldout:{SERVERLESS.key}")
    assert high < line.actual <= line.reserved <= 4 * high
    assert desk.session.events.filter(kind="reserved", text__contains=" more for ").exists()


def test_lost_calls_count_against_what_is_set_aside(desk):
    """Row 1.7: Fireworks may bill each, so that repeating them stops at the approved amount too."""
    desk.order = ("serverless",)
    high = approve(desk, SERVERLESS, prompt_tokens=1_000)
    calls = count(1)
    act = lambda ask: lost(ask) if next(calls) % 3 else ask()  # noqa: E731
    desk.house.wire.faults.append(Fault("POST", CHAT, act, times=10_000))
    with pytest.raises(spending.ApprovalExceeded):
        desk.all(SERVERLESS)
    answered = sum(each.is_over for each in desk.answers(SERVERLESS))
    unknown = sum(desk.asked().values()) - answered
    assert unknown * 16 * Decimal("0.30") / 1_000_000 < high


def test_a_batch_job_that_holds_more_than_was_estimated_is_asked_about_before_it_is_made(desk):
    """Row 1.7: nobody can stop one, so its rows are looked at before."""
    subject = Subject.base(QWEN)
    desk.order = ("batch",)
    approve(desk, subject, prompt_tokens=100)
    TuningSession.objects.filter(pk=desk.session.pk).update(approved_amount="0.000010")
    desk.session.ledger.update(high="0.000010")
    with pytest.raises(spending.ApprovalExceeded) as stopped:
        desk.all(subject)
    assert desk.house.remote("batchInferenceJobs") == []
    engine.apply(desk.session, outcome_of(stopped.value, desk.session), desk.house.clock())
    desk.house.reply(desk.session, "", action=["approve"])
    TuningSession.objects.filter(pk=desk.session.pk).update(approved_amount="1.00")
    desk.all(subject)
    assert all(each.text and each.attempt == 1 for each in desk.answers(subject))
    assert desk.session.ledger.get(item=f"inference:heldout:{subject.key}").actual > Decimal("0.000010")


def test_a_first_batch_job_has_as_many_rows_as_cannot_pass_the_approved_amount(desk):
    """Row 1.7: what it counted tells what all the others may cost."""
    subject = Subject.base(QWEN)
    desk.order = ("batch",)
    high = approve(desk, subject, prompt_tokens=2_000)
    desk.all(subject)
    assert len(desk.house.remote("batchInferenceJobs")) == 2
    assert all(each.text and each.attempt == 1 for each in desk.answers(subject))
    assert desk.session.ledger.get(item=f"inference:heldout:{subject.key}").actual <= high
