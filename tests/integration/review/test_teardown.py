"""A deployment that two workers see gone is told of once."""

import pytest
from django.utils import timezone

from sessions.actions import spending
from sessions.states import ResourceState
from tests.factories import NOON, make_session
from workflows import teardown

pytestmark = pytest.mark.django_db


def test_of_two_workers_that_see_it_gone_one_says_so():
    session = make_session()
    name = "accounts/rehearsal/deployments/d"
    spending.adopt(session, timezone.now(), "deployment", "deployment", name)
    resource = session.resources.get()
    teardown.record(session, resource, NOON)
    teardown.record(session, resource, NOON)
    assert session.events.filter(kind="torn-down").count() == 1
    assert session.resources.get().state == ResourceState.GONE


def test_what_keeps_a_deployment_from_going_is_told_once():
    session = make_session()
    for words in ("503: busy", "503: busy", "403: not yours"):
        teardown.complain(session, f"d is not torn down yet: {words}")
    told = session.events.filter(kind="tear-down-refused").values_list("text", flat=True)
    assert list(told) == ["d is not torn down yet: 503: busy", "d is not torn down yet: 403: not yours"]
