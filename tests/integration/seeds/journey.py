"""What a person does with a sentence of the source documents: types it, reads the plan, decides, reads on.

The documents are not part of the repository: their sentences are read from them where they are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from sessions.models import TuningSession
from sessions.states import GateKind
from tests.integration.workflows.house import House

SEEDS = Path(__file__).parents[4] / "shared" / "seeds"
DATA = SEEDS.parent / "data"
HEADINGS = "Customizing the run"
WORDS = {GateKind.PLAN: "Approved, proceed.", GateKind.PROMOTION: "Proceed with the winning config."}


def document(name: str) -> str:
    """A source document; the test is skipped where it is not."""
    path = SEEDS / f"{name}.md"
    if not path.exists():
        pytest.skip(f"the source documents are not here: shared/seeds/{name}.md")
    return path.read_text(encoding="utf-8")


def rows_of(name: str, count: int = 20) -> list[dict[str, Any]]:
    """The first rows of one of the data files that stand beside the documents."""
    path = DATA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"the data files are not here: shared/data/{name}.jsonl")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in islice(lines, count)]


def instructions(name: str) -> list[str]:
    """The example instructions of a document, as they stand there."""
    return re.findall(r'--instruction "([^"]+)"', document(name))


def customisations(name: str) -> list[str]:
    """The sentence of every bullet under the heading on customising."""
    part = document(name).partition(HEADINGS)[2].partition("crib notes")[0]
    return [found[0] for line in part.splitlines() if (found := list(quoted(line)))]


def triggers(name: str) -> list[str]:
    """The trigger phrases of a document: of each evaluation path one to instruct with, and one to answer."""
    lines = [line for line in document(name).splitlines() if line.startswith("Trigger phrase:")]
    return [phrase for line in lines for phrase in quoted(line)]


def quoted(text: str) -> Iterator[str]:
    yield from re.findall(r"[“\"]([^“”\"\n]+?)[”\"]", text)


@dataclass
class Journey:
    """A person at the pages; the worker and Fireworks go on while nobody is asked."""

    client: Client
    house: House

    def begin(self, sentence: str) -> TuningSession:
        """Type one sentence on the page of a new session and press start; goes on to the first gate."""
        form = {"action": "start", "form_token": "typed", "instruction": sentence}
        answer = self.client.post("/new/", form)
        assert answer.status_code == 302, answer.content.decode()
        session = TuningSession.objects.get()
        self.house.drive(session)
        return session

    def say(self, session: TuningSession, words: str) -> None:
        """Type a reply that decides the open gate; goes on to the next one."""
        self.reply(session, words)
        self.house.drive(session)

    def reply(self, session: TuningSession, words: str, status: int = 302) -> str:
        """Type a reply at the open gate; 200 where it decides nothing. Returns the page that answers."""
        gate = self.house.gate(session)
        digest = gate.plan.digest if gate.plan else ""
        form = {"action": "reply", "reply": words, "plan_digest": digest}
        answer = self.client.post(f"/s/{session.public_id}/gates/{gate.pk}/decide/", form)
        assert answer.status_code == status, answer.content.decode()
        session.refresh_from_db()
        return answer.content.decode()

    def finish(self, session: TuningSession) -> TuningSession:
        """Give the documents' common responses until the session is over."""
        for _ in range(len(WORDS) + 1):
            if session.is_over:
                return session
            self.say(session, WORDS[GateKind(self.house.gate(session).kind)])
        raise AssertionError(f"{session.public_id} asks again and again")

    def page(self, session: TuningSession) -> str:
        """The session's page as it is read."""
        answer = self.client.get(session.get_absolute_url())
        assert answer.status_code == 200
        text = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))
