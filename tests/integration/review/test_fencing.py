"""A worker that lost its lease stays fenced off, whatever it wrote or read meanwhile."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions.actions import moves, planning
from sessions.actions.events import note
from sessions.models import TuningSession
from tests.factories import make_session, make_specification

pytestmark = pytest.mark.django_db


def two_holders():
    """The worker that was too slow, and the one that took over."""
    session, now = make_session(), timezone.now()
    slow = moves.claim(session.public_id, now)
    fast = moves.claim(slow.public_id, now + moves.LEASE + timedelta(seconds=1))
    assert fast is not None
    return slow, fast


@pytest.mark.parametrize(
    "write",
    [
        lambda session: note(session, "told", "a line of the slow worker"),
        lambda session: planning.keep_specification(session, make_specification(epochs=4)),
        TuningSession.reload,
    ],
)
def test_reading_the_row_again_does_not_take_up_the_successors_lease(write):
    slow, fast = two_holders()
    write(slow)
    with pytest.raises(moves.LeaseLost):
        moves.finish_phase(slow, timezone.now(), note="too late")
    moves.renew(fast, timezone.now())
    fast.refresh_from_db()
    assert fast.phase == "inspection"
