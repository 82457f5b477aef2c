"""Nothing is made without an approval that covers it; the check and the record are one transaction."""

from decimal import Decimal

import pytest
from django.utils import timezone

from sessions.actions import spending
from sessions.models import Resource
from sessions.states import ResourceState
from tests.factories import make_ledger_line, make_session

pytestmark = pytest.mark.django_db


def intend(session, number=1, item="training:candidate:1"):
    return spending.intend(
        session,
        timezone.now(),
        kind="job",
        purpose=f"job-{number}",
        name=f"accounts/rehearsal/supervisedFineTuningJobs/j{number}",
        item=item,
        request={},
    )


def test_without_an_approval_nothing_is_intended():
    session = make_session()
    make_ledger_line(session, high="1.00")
    with pytest.raises(spending.NotApproved):
        intend(session)
    assert not Resource.objects.exists()
    assert session.ledger.get().reserved is None


def test_a_line_that_the_plan_does_not_have_is_refused():
    session = make_session(approved_amount="5.00")
    with pytest.raises(spending.NotApproved, match="no line deployment"):
        intend(session, item="deployment")
    assert not Resource.objects.exists()


def test_the_upper_estimate_is_reserved_once_for_one_purpose():
    session = make_session(approved_amount="5.00")
    make_ledger_line(session, high="1.30")
    first, again = intend(session), intend(session)
    assert first == again
    assert session.ledger.get().reserved == Decimal("1.30")
    assert spending.committed(session) == Decimal("1.30")


def test_a_spend_beyond_the_approved_amount_stops_and_says_how_much():
    session = make_session(approved_amount="2.00")
    make_ledger_line(session, high="1.30")
    make_ledger_line(session, "training:candidate:2", high="1.30")
    intend(session)
    with pytest.raises(spending.ApprovalExceeded) as stopped:
        intend(session, 2, "training:candidate:2")
    assert stopped.value.committed == Decimal("1.30")
    assert stopped.value.wanted == Decimal("1.30")
    assert Resource.objects.count() == 1


def test_what_was_really_paid_frees_the_rest_of_the_reservation():
    session = make_session(approved_amount="2.00")
    make_ledger_line(session, high="1.30")
    make_ledger_line(session, "training:candidate:2", high="1.30")
    intend(session)
    spending.settle(session, "training:candidate:1", Decimal("0.40"))
    assert intend(session, 2, "training:candidate:2").state == ResourceState.INTENDED


def test_nothing_new_is_made_for_a_session_that_is_being_cancelled():
    session = make_session(approved_amount="5.00", cancel_requested_at=timezone.now())
    make_ledger_line(session, high="1.00")
    with pytest.raises(spending.NotApproved):
        intend(session)
