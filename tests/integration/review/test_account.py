"""A rehearsal never turns into the real thing by a restart with a key."""

import pytest

from sessions.states import GateKind, Status
from tests.integration.workflows.house import report


@pytest.fixture
def real(settings):
    """The portal, started again with a key."""

    def restart():
        settings.FIREWORKS = {**settings.FIREWORKS, "rehearsal": False}

    return restart


def test_an_approved_rehearsal_makes_nothing_in_a_real_account(house, real):
    session = house.approved()
    real()
    asked = len(house.wire.requests)
    house.drive(session)
    gate = house.gate(session)
    assert gate.kind == GateKind.TROUBLE
    assert "began in rehearsal" in gate.body["text"]
    assert len(house.wire.requests) == asked


def test_it_goes_on_when_the_portal_rehearses_again(house, real, settings):
    rehearsing = settings.FIREWORKS
    session = house.approved()
    real()
    house.drive(session)
    settings.FIREWORKS = rehearsing
    house.reply(session, "Try again.")
    house.drive(session)
    assert house.gate(session).kind == GateKind.PROMOTION


def test_it_can_be_ended_all_the_same(house, real):
    session = house.approved()
    real()
    asked = len(house.wire.requests)
    for _ in range(2):  # stop; and then leave what cannot be looked at
        house.drive(session)
        house.reply(session, "Cancel.")
    house.drive(session)
    assert session.status == Status.CANCELLED
    assert report(session)["verdict"].startswith("The session was stopped")
    assert len(house.wire.requests) == asked
