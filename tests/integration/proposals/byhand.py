"""A proposal of chosen values, without a model: for houses whose models do something else."""

from __future__ import annotations

import json
from typing import Any

from sessions.actions import proposing
from sessions.intake import shelf
from sessions.models import ProposedReading, TuningSession
from sessions.proposals.offers import of_reply
from sessions.proposals.reader import REHEARSAL_READER
from tests.factories import make_base_model
from tests.integration.workflows.house import House


def propose(house: House, session: TuningSession, typed: str, **values: Any) -> None:
    """An answered reading of a reply; each value quotes the first words that were not understood."""
    make_base_model(REHEARSAL_READER, tunable=False, servable=False, serverless=True)
    heard = house.reply(session, typed).heard
    assert heard is not None
    offer = of_reply(house.gate(session), heard, shelf().context)
    assert offer is not None
    house.reply(session, typed, action=["propose"], source=["reply"], offer=[offer.key])
    row = ProposedReading.objects.get(session=session)
    assert proposing.mark(row, house.clock())
    answer = {name: {"quote": offer.words[0], "value": value} for name, value in values.items()}
    assert proposing.keep(row, house.clock(), row.amount, "", answer=json.dumps(answer))
