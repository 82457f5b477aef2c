"""Each gate is decided once, about the plan that was seen, and only a plan's approval covers money."""

from decimal import Decimal

import pytest
from django.utils import timezone

from fwportal.middleware import owner
from sessions.actions.gates import AlreadyDecided, Stale, Verdict, cancel, decide
from sessions.states import Decision, GateKind, Status
from tests.factories import make_candidate, make_gate, make_session, set_phase

pytestmark = pytest.mark.django_db


def approve(gate, digest=""):
    return decide(gate, owner(), Verdict(Decision.APPROVED, plan_digest=digest), timezone.now())


def test_approving_a_plan_covers_its_upper_cost_and_wakes_the_session():
    gate = make_gate(make_session())
    session = approve(gate, gate.plan.digest)
    assert session.approved_amount == Decimal("1.30")
    assert session.status == Status.RUNNING
    assert session.wake_at is not None
    line = session.ledger.get()
    assert (line.item, line.high, line.reserved) == ("training:candidate:1", Decimal("1.30"), None)


def test_approving_another_revision_than_the_one_at_the_gate_is_refused():
    gate = make_gate(make_session())
    with pytest.raises(Stale, match="Revision 1"):
        approve(gate, "digest-0")
    gate.refresh_from_db()
    assert gate.is_open
    assert gate.session.approved_amount is None


def test_the_second_decision_is_told_who_was_first():
    gate = make_gate(make_session())
    approve(gate, gate.plan.digest)
    with pytest.raises(AlreadyDecided, match=r"Already approved by owner at 20\d\d-"):
        decide(gate, owner(), Verdict(Decision.REJECTED), timezone.now())
    gate.session.refresh_from_db()
    assert gate.session.cancel_requested_at is None


def test_rejecting_asks_for_the_end_and_approves_nothing():
    session = decide(make_gate(make_session()), owner(), Verdict(Decision.REJECTED), timezone.now())
    assert session.cancel_requested_at is not None
    assert session.approved_amount is None
    assert not session.ledger.exists()


def test_confirming_a_winner_names_the_candidate():
    session = make_session()
    set_phase(session, "sweep")
    candidate = make_candidate(session)
    gate = make_gate(session, GateKind.PROMOTION, body={"suggested": 1})
    verdict = Verdict(Decision.APPROVED, answer={"candidate": candidate.pk, "number": 1})
    assert decide(gate, owner(), verdict, timezone.now()).winner == candidate


def test_more_money_is_approved_by_the_amount_at_the_gate():
    gate = make_gate(make_session(approved_amount="1.00"), GateKind.SPEND, body={"amount": "2.50"})
    assert approve(gate).approved_amount == Decimal("2.50")


def test_cancelling_withdraws_the_open_gate_and_happens_once():
    session = make_session()
    gate = make_gate(session)
    assert cancel(session, owner(), timezone.now())
    assert not cancel(session, owner(), timezone.now())
    gate.refresh_from_db()
    session.refresh_from_db()
    assert gate.decision == Decision.WITHDRAWN
    assert session.status == Status.RUNNING
    with pytest.raises(AlreadyDecided):
        approve(gate, gate.plan.digest)
