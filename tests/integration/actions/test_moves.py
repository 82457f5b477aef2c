"""The engine's writes are fenced by the lease, and each leaves exactly one event."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions.actions import moves
from sessions.models import Gate
from sessions.states import GateKind, PhaseState, Status
from tests.factories import make_session

pytestmark = pytest.mark.django_db


def claimed(session=None):
    session = session or make_session()
    return moves.claim(session.public_id, timezone.now())


def test_only_one_worker_claims_a_due_session():
    session = make_session()
    assert claimed(session) is not None
    assert claimed(session) is None


def test_a_session_that_is_not_due_is_not_claimed():
    session = make_session(wake_at=timezone.now() + timedelta(minutes=1))
    assert claimed(session) is None


def test_a_waiting_session_has_no_clock():
    session = claimed()
    moves.ask(session, timezone.now(), GateKind.QUESTIONS, "Which one?", {"questions": []}, None)
    assert (session.status, session.wake_at, session.lease) == (Status.WAITING, None, "")
    assert claimed(session) is None
    assert Gate.objects.get(session=session).is_open


def test_an_expired_lease_is_taken_over_and_the_first_holder_is_fenced_off():
    slow = claimed()
    type(slow).objects.filter(pk=slow.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    fast = claimed(slow)
    assert fast is not None
    before = fast.event_seq
    with pytest.raises(moves.LeaseLost):
        moves.finish_phase(slow, timezone.now(), note="too late")
    with pytest.raises(moves.LeaseLost):
        moves.renew(slow, timezone.now())
    slow.refresh_from_db()
    assert (slow.phase, slow.event_seq) == ("inspection", before)
    assert slow.phases.get(phase="inspection").state == PhaseState.PENDING


def test_events_count_without_gaps_over_all_moves():
    session = claimed()
    moves.begin_phase(session, timezone.now())
    moves.finish_phase(session, timezone.now(), note="44 rows")
    moves.end_early(session, timezone.now(), Status.FAILED, "no use", {"phase": "planning"})
    moves.end(session, timezone.now(), "written")
    assert list(session.events.values_list("seq", flat=True)) == list(range(1, session.event_seq + 1))
    assert (session.status, session.is_over, session.wake_at) == (Status.FAILED, True, None)
    assert session.phases.get(phase="sweep").state == PhaseState.SKIPPED


def test_a_cancellation_that_came_during_a_step_is_taken_up_at_once():
    session = claimed()
    now = timezone.now()
    type(session).objects.filter(pk=session.pk).update(cancel_requested_at=now)
    moves.wait(session, now, now + timedelta(hours=1))
    session.refresh_from_db()
    assert session.wake_at == now


def test_a_gate_is_not_opened_for_a_session_that_is_being_cancelled():
    session = claimed()
    type(session).objects.filter(pk=session.pk).update(cancel_requested_at=timezone.now())
    moves.ask(session, timezone.now(), GateKind.PLAN, "Approve?", {}, None)
    session.refresh_from_db()
    assert session.status == Status.RUNNING
    assert not session.gates.exists()


def test_trying_again_backs_off_and_says_so():
    session = claimed()
    until = timezone.now() + timedelta(seconds=8)
    moves.retry_later(session, until, "No answer came.")
    assert (session.tries, session.wake_at, session.lease) == (1, until, "")
    assert session.events.last().text == "No answer came."
