"""A house with a stand-in that reads, and sessions in which something was not understood."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import orjson
import pytest

from fwportal.middleware import owner
from localfireworks.reader import ReadingEngine
from sessions import instructions, replies
from sessions.entered import Outcome
from sessions.intake import shelf
from sessions.models import BaseModel, ProposedReading, TuningSession
from sessions.proposals.offers import Offer, of_instruction
from sessions.proposals.reader import REHEARSAL_READER
from tests.factories import make_base_model
from tests.integration.workflows.conftest import Roomy, opened
from tests.integration.workflows.house import House
from workflows import readings

CHAT = "/inference/v1/chat/completions"
WORDS = "Give the LoRA a rank of sixteen, and seed it with 7."


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path, engine=ReadingEngine(Roomy())) as found:
        make_base_model(REHEARSAL_READER, tunable=False, servable=False, serverless=True)
        yield found


class Reading:
    """A session at a gate, and what a person and a worker do about its words."""

    def __init__(self, house: House, text: str = WORDS, **values: object) -> None:
        self.house, self.session = house, house.start(**values)
        lost = [span.text for span in instructions.read(text, shelf().context.catalogue).not_understood]
        TuningSession.objects.filter(pk=self.session.pk).update(instruction=text, not_understood=lost)
        house.drive(self.session)

    def offer(self) -> Offer | None:
        return of_instruction(self.house.gate(self.session), shelf().context)

    def do(self, action: str, **form: list[str]) -> Outcome:
        entered = {"action": [action], **form}
        gate = self.house.gate(self.session)
        outcome = replies.act(replies.Entered(gate, owner(), entered, self.house.clock(), shelf().context))
        self.session.refresh_from_db()
        return outcome

    def press(self) -> Outcome:
        """The offer for the instruction, as it is shown."""
        found = self.offer()
        assert found
        return self.do("propose", source=["instruction"], offer=[found.key])

    def work(self) -> None:
        """A worker takes up every reading."""
        connect = partial(self.house.connect)
        for pk in ProposedReading.objects.values_list("pk", flat=True):
            readings.ask(pk, connect_for=connect, clock=self.house.clock)
        self.session.refresh_from_db()

    def no_reader(self) -> None:
        """The catalogue lists the stand-in no more."""
        BaseModel.objects.filter(name=REHEARSAL_READER).update(listed=False)

    def row(self) -> ProposedReading:
        return ProposedReading.objects.latest("pk")

    def answer(self, text: str) -> None:
        """What the model said, put in the place of its own answer."""
        ProposedReading.objects.filter(pk=self.row().pk).update(answer=text)

    def asked(self) -> list[dict[str, object]]:
        """The bodies of the completions that went over the wire."""
        pairs = zip(self.house.wire.requests, self.house.wire.bodies, strict=True)
        return [orjson.loads(body) for (_, path), body in pairs if path == CHAT]


@pytest.fixture
def desk(house: House) -> Reading:
    """At the plan gate, with words of the instruction not understood."""
    return Reading(house)
