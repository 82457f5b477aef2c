"""Values taken from a model's proposal after the plan was approved go back to the plan, as typed ones do."""

from __future__ import annotations

from sessions.specification import Origin
from sessions.states import GateKind
from tests.integration.preference.conftest import preference, prompts
from tests.integration.proposals.byhand import propose
from tests.integration.workflows.house import House


def test_what_is_taken_at_the_pairs_goes_back_to_the_plan(house: House) -> None:
    session = preference(house, prompts(20), betas=(0.1,), deploy=False, review_pairs="show")
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    assert house.gate(session).kind == GateKind.QUESTIONS
    propose(house, session, "make the passes sort of nine", epochs=9)
    house.reply(session, "", action=["take"], take=["epochs"])
    house.drive(session)
    gate = house.gate(session)
    assert gate.plan
    assert (gate.kind, gate.plan.revision) == (GateKind.PLAN, 2)
    assert {each["epochs"] for each in gate.plan.body["candidates"]} == {9}
    assert session.specification.entries["epochs"].origin == Origin.PROPOSED
