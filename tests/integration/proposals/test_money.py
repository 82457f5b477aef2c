"""Nothing is asked without the press; what is pressed is asked once and priced; a dead worker pays once."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from fwportal.middleware import owner
from sessions.actions import gates, proposing
from sessions.costs import money_exact
from sessions.intake import shelf
from sessions.models import BaseModel, LedgerLine, ProposedReading
from sessions.proposals.offers import of_reply
from sessions.states import Decision, GateKind
from tests.integration.proposals.conftest import CHAT, Reading
from tests.integration.workflows.house import Fault, Killed, report
from workflows import readings, sweeping
from workflows.fireworks.errors import CallForbidden


def test_nothing_is_asked_before_the_press(desk):
    assert desk.session.gates.get(decision=Decision.OPEN).kind == GateKind.PLAN
    assert desk.offer().amount > 0
    desk.work()
    assert (desk.asked(), ProposedReading.objects.count(), LedgerLine.objects.count()) == ([], 0, 0)
    with pytest.raises(CallForbidden):
        desk.house.connect(desk.session).permit_asking(desk.offer().reader.model)


def test_the_press_covers_exactly_this_spend(desk):
    found = desk.offer()
    desk.press()
    row, line = desk.row(), desk.session.ledger.get()
    assert (row.amount, row.approved_by.get_username(), row.text) == (found.amount, "owner", found.text)
    assert (line.item, line.reserved, line.high) == (row.item, found.amount, found.amount)
    assert desk.session.approved_amount is None
    desk.work()
    line.refresh_from_db()
    assert 0 < line.actual < found.amount
    assert "Fireworks counted" in line.gap
    [body] = desk.asked()
    assert body == {"model": row.model, **row.request}
    assert (body["temperature"], body["seed"]) == (0, 42)
    assert all(desk.session.public_id not in str(message) for message in body["messages"])
    with pytest.raises(CallForbidden):  # answered: the approval is used up
        desk.house.connect(desk.session).permit_asking(row.model)


def test_it_is_asked_once(desk):
    desk.press()
    desk.work()
    desk.work()
    assert len(desk.asked()) == 1
    assert desk.offer() is None


def test_a_double_click_is_one_approval(desk):
    found = desk.offer()
    for _ in range(2):
        desk.do("propose", source=["instruction"], offer=[found.key])
    assert ProposedReading.objects.count() == LedgerLine.objects.count() == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_killed_between_is_never_paid_twice(desk, after):
    desk.press()
    desk.house.wire.kill("POST", CHAT, after=after)
    with pytest.raises(Killed):
        desk.work()
    desk.work()  # who looks meanwhile leaves it to the worker that asked
    assert not desk.row().is_over
    desk.house.clock.pass_by(readings.LOST_AFTER / timedelta(seconds=1))
    desk.work()
    assert len(desk.asked()) == 1
    row, line = desk.row(), desk.session.ledger.get()
    assert line.actual == row.amount
    assert "stopped before the answer was kept" in row.error
    desk.do("discard")
    assert desk.offer().fault == ""  # only another approval asks again


@pytest.mark.parametrize(
    ("status", "share", "told"),
    [(400, 0, "cost nothing"), (429, 0, "cost nothing"), (500, 1, "may be billed")],
)
def test_a_refusal_costs_nothing_and_an_unknown_outcome_all(desk, status, share, told):
    desk.press()
    desk.house.wire.refuse("POST", CHAT, status, times=9, error={"message": "no such luck"})
    desk.work()
    row = desk.row()
    assert "no such luck" in row.error
    assert told in row.error
    assert desk.session.ledger.get().actual == share * row.amount


def test_an_unknown_price_is_never_approved(desk):
    BaseModel.objects.filter(name=desk.offer().reader.model).update(parameters=None)
    found = desk.offer()
    assert "its price is not known" in found.fault
    outcome = desk.do("propose", source=["instruction"], offer=[found.key])
    assert "its price is not known" in outcome.text
    assert not ProposedReading.objects.exists()


def test_another_price_than_the_one_seen_is_asked_about(desk):
    outcome = desk.do("propose", source=["instruction"], offer=["accounts/fireworks/models/x 0.0001"])
    assert "another one by now" in outcome.text
    assert not ProposedReading.objects.exists()


def test_a_budget_holds(house):
    desk = Reading(house, budget="0.0001")
    assert "beyond your budget" in desk.offer().fault
    assert "beyond your budget" in desk.press().text


def test_a_cancelled_session_asks_nothing(desk):
    desk.press()
    desk.session.gates.filter(decision=Decision.OPEN).update(decision=Decision.REJECTED)
    desk.work()
    assert (desk.asked(), desk.row().decision) == ([], "withdrawn")
    assert desk.session.ledger.get().actual == 0


def test_the_plan_gets_its_own_amount_beside_it_and_the_report_names_it(desk):
    desk.press()
    desk.work()
    cost = desk.session.ledger.get().actual
    desk.do("discard")
    high = desk.house.gate(desk.session).plan.cost_high
    desk.house.reply(desk.session, "Approved, proceed.")
    assert desk.session.approved_amount == high + cost
    desk.house.drive(desk.session)
    desk.house.reply(desk.session, "Proceed with the winning config.")
    desk.house.drive(desk.session)
    told = {each["label"]: each for each in report(desk.session)["costs"]["lines"]}
    assert Decimal(told["Reading of your words by standin-reader"]["actual"]) == cost


def test_an_approval_of_the_plan_meanwhile_keeps_both_apart(desk):
    desk.press()
    amount, high = desk.row().amount, desk.house.gate(desk.session).plan.cost_high
    desk.do("approve", plan_digest=[desk.house.gate(desk.session).plan.digest])
    assert desk.session.approved_amount == high + amount
    desk.work()  # the plan is approved: nobody needs the reading
    assert desk.session.approved_amount == high


def edited(**changes):
    """An answer whose JSON is another one; None takes a key out."""

    def act(ask):
        told = {**ask().json(), **changes}
        return httpx.Response(200, json={name: value for name, value in told.items() if value is not None})

    return act


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 500}])
def test_an_answer_without_counts_counts_at_the_most(desk, usage):
    desk.press()
    desk.house.wire.faults.append(Fault("POST", CHAT, edited(usage=usage)))
    desk.work()
    line = desk.session.ledger.get()
    assert desk.row().answer
    assert (line.actual, line.gap) == (desk.row().amount, readings.UNCOUNTED)


def test_a_model_that_is_not_told_how_much_to_think_is_asked_without(desk):
    desk.press()
    desk.house.wire.refuse("POST", CHAT, 400, error={"message": "reasoning_effort is not supported"})
    desk.work()
    first, second = desk.asked()
    assert first == second | {"reasoning_effort": "low"}
    assert "reasoning_effort" not in second
    assert (desk.row().error, bool(desk.row().answer)) == ("", True)


def test_a_cost_beyond_the_bound_approves_nothing(desk):
    desk.press()
    row, plan = desk.row(), desk.house.gate(desk.session).plan
    assert proposing.mark(row, desk.house.clock())
    desk.do("approve", plan_digest=[plan.digest])
    approved = desk.session.approved_amount
    assert proposing.keep(row, desk.house.clock(), 3 * row.amount, "", answer="{}")
    desk.session.refresh_from_db()
    assert desk.session.approved_amount == approved
    told = desk.session.events.get(kind="reading-answered")
    assert told.level == "warn"
    assert "more than the $" in told.text


def test_a_reading_that_is_left_ends_with_the_approval_of_the_plan(desk):
    desk.press()
    desk.work()
    assert desk.row().decision == ""
    desk.do("approve", plan_digest=[desk.house.gate(desk.session).plan.digest])
    assert (desk.row().decision, desk.row().decided_by, desk.row().taken) == ("discarded", None, [])


def test_an_answer_after_the_approval_of_the_plan_is_left_too(desk):
    desk.press()
    row = desk.row()
    assert proposing.mark(row, desk.house.clock())
    desk.do("approve", plan_digest=[desk.house.gate(desk.session).plan.digest])
    assert desk.row().decision == ""
    proposing.keep(row, desk.house.clock(), row.amount, "", answer="{}")
    assert row.decision == "discarded"


def test_a_report_while_a_reading_is_under_way_counts_it_at_the_most(desk):
    desk.press()
    row = desk.row()
    assert proposing.mark(row, desk.house.clock())
    desk.house.clock.pass_by(1)
    gates.cancel(desk.session, owner(), desk.house.clock())
    desk.house.pass_time()
    desk.house.drive(desk.session)
    told = report(desk.session)
    assert Decimal(told["costs"]["actual"]) == row.amount
    assert told["costs"]["lines"][0]["gap"] == proposing.LATE
    asked, cancelled, left = told["decisions"]
    assert asked.startswith("owner let standin-reader read “rank of sixteen” and “seed it with 7” for $0.00")
    assert cancelled.startswith(
        "owner cancelled the session instead of deciding about the plan revision 1 at"
    )
    assert left.startswith("Nothing of what standin-reader proposed was taken at")
    assert not proposing.keep(row, desk.house.clock(), row.amount / 2, "", answer="{}")
    assert desk.session.ledger.get().actual == row.amount


def test_a_report_names_what_was_taken_and_withdraws_what_was_not_asked(desk):
    desk.press()
    desk.work()
    desk.do("take", take=["seed"])
    desk.house.drive(desk.session)
    typed = "make the rank sort of sixteen"
    heard = desk.do("reply", reply=[typed]).heard
    offer = of_reply(desk.house.gate(desk.session), heard, shelf().context)
    desk.do("propose", source=["reply"], reply=[typed], offer=[offer.key])
    desk.do("reject")
    desk.house.drive(desk.session)
    told = report(desk.session)["decisions"]
    most = money_exact(ProposedReading.objects.earliest("pk").amount)
    assert [each.partition(" at 20")[0] for each in told if "standin-reader" in each] == [
        f"owner let standin-reader read “rank of sixteen” and “seed it with 7” for {most} at the most,",
        "owner took of what standin-reader proposed: Seed",
        f"owner let standin-reader read “{offer.words[0]}” for {money_exact(offer.amount)} at the most,",
        "standin-reader was not asked any more",
    ]


def test_a_reading_for_another_account_waits_for_it_and_a_lost_one_is_counted(desk, settings, monkeypatch):
    desk.press()
    settings.FIREWORKS = {**settings.FIREWORKS, "rehearsal": False}
    sent = []
    monkeypatch.setattr(sweeping.current_app, "send_task", lambda name, **more: sent.append(name))
    sweeping.sweep()
    assert "workflows.read_words" not in sent
    row = desk.row()
    proposing.mark(row, desk.house.clock() - readings.LOST_AFTER)
    sweeping.sweep()
    assert "workflows.read_words" in sent
    desk.work()
    assert (desk.row().error, desk.asked()) == (readings.LOST, [])


def test_the_sweep_finds_what_a_lost_message_left(desk, monkeypatch):
    desk.press()
    sent = []
    monkeypatch.setattr(
        sweeping.current_app, "send_task", lambda name, **more: sent.append((name, more["args"]))
    )
    sweeping.sweep()
    assert ("workflows.read_words", [desk.row().pk]) in sent
