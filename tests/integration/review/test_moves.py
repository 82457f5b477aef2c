"""The table of legal moves is what the database is asked with."""

import pytest

from sessions.actions.events import change
from sessions.states import Status
from tests.factories import make_session

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("before", [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED])
def test_a_session_that_is_over_never_moves_again(before):
    session = make_session(status=before)
    seen = session.event_seq
    assert not change(session, "started", "again", to={"status": Status.RUNNING})
    session.refresh_from_db()
    assert (session.status, session.event_seq) == (before, seen)


def test_a_queued_session_cannot_wait_for_a_person_yet():
    session = make_session()
    assert not change(session, "asked", "too early", to={"status": Status.WAITING})
    assert change(session, "started", "taken", to={"status": Status.RUNNING})
