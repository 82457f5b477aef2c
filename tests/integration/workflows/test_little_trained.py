"""A plan says when more rows are held out than trained on: it may have been meant the other way round."""

from __future__ import annotations

from typing import Any

import pytest

from sessions.models import TuningSession
from tests.factories import QWEN
from tests.integration.workflows.classification.rows import tickets
from tests.integration.workflows.house import House, chat

TOLD = "Held out are 30 rows, more than the 10 that are trained on. Was less meant?"
CLASSIFIER: dict[str, Any] = {"workflow": "classification", "strategy": None, "base_models": (QWEN,)}


def begun(house: House, workflow: str) -> TuningSession:
    if workflow == "classification":
        dataset = house.dataset("tickets", tickets(40))
        return house.start(dataset=dataset, test_share=0.75, **CLASSIFIER)
    return house.start(dataset=house.dataset("rows", chat(40)), heldout_rows=30)


def risks(house: House, session: TuningSession) -> list[str]:
    house.drive(session)
    plan = house.gate(session).plan
    assert plan is not None
    return list(plan.body["risks"])


@pytest.mark.parametrize("workflow", ["sft", "classification"])
def test_more_held_out_than_trained_on_is_a_risk_of_the_plan(house: House, workflow: str) -> None:
    session = begun(house, workflow)
    assert TOLD in risks(house, session)
    house.reply(session, "Use 80% for training.")
    assert not any("Held out are" in risk for risk in risks(house, session))
