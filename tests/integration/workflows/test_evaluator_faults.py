"""Evaluators that cannot score: told at a question before any plan, and another one taken there."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sessions.models import TuningSession
from sessions.states import GateKind
from tests.integration.evaluators.conftest import walls
from tests.integration.workflows.house import ACCOUNT, House
from tests.integration.workflows.test_scored import uploaded, zipped
from workflows.fireworks import evaluators
from workflows.phases.scoring_code import current, evaluator
from workflows.work import Work

__all__ = ["walls"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("walls"),
]
LATIN = b"# -*- coding: latin-1 -*-\n# \xe9\n"
GOOD = (
    b"def evaluate(messages, ground_truth=None, **row):\n    return messages[-1]['content'] == ground_truth\n"
)
SAME = b"def evaluate(messages, **row):\n    return 0.5\n"
BROKEN = b"import json\n\ndef evaluate(messages, sql, **row):\n    return json.loads(sql)\n"
NEEDY = b"import numpy\n" + GOOD


def asked(house: House, evaluator: str) -> TuningSession:
    session = house.start(rows=40, strategy="evaluator", evaluator=evaluator)
    house.drive(session)
    return session


def question(house: House, session: TuningSession) -> str:
    gate = house.gate(session)
    assert gate.kind == GateKind.QUESTIONS
    [one] = gate.body["questions"]
    assert one["field"] == "evaluator"
    return str(one["text"])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (SAME, "it gives every answer the same score (0.5), so it tells nothing"),
        (BROKEN, "it failed on every answer: TypeError"),
        (NEEDY, "No module named 'numpy'"),
        (zipped(evaluator_py=GOOD, requirements_txt=b"numpy>=2\n"), "installing packages is switched off"),
    ],
)
def test_an_evaluator_that_can_score_nothing_is_asked_for_again(
    house: House, code: bytes, words: str
) -> None:
    session = asked(house, uploaded("mine.py", code))
    assert words in question(house, session)
    assert not session.plans.exists()
    house.reply(session, "", action=["answer"], evaluator=[uploaded("better.py", GOOD)])
    house.drive(session)
    assert house.gate(session).plan.body["evaluator"]["label"] == "what you brought, better.py"


def test_a_refused_evaluator_does_not_take_the_place_of_the_approved_one(house: House) -> None:
    """Planned with A, changed to B, which is refused, and back to A: what scores is A, as the plan says."""
    good, same = uploaded("good.py", GOOD), uploaded("same.py", SAME)
    session = asked(house, good)
    first = house.gate(session).plan.body["evaluator"]
    house.reply(session, "", action=["changes"], evaluator=[same])
    house.drive(session)
    assert "it gives every answer the same score" in question(house, session)
    house.reply(session, "", action=["answer"], evaluator=[good])
    house.drive(session)
    assert house.gate(session).plan.body["evaluator"] == first
    work = Work(session, house.connect(session), house.clock, house.clock())
    assert current(work)
    runs = evaluator(work, "evaluator")
    assert (runs.folder / runs.entry).read_bytes() == GOOD
    (runs.folder / runs.entry).write_bytes(SAME)
    assert not current(work)  # what is there is looked at, not what was written down


def test_an_evaluator_is_taken_at_the_question_itself(house: House, client: Client) -> None:
    """Without one the session asks; a file that is none is refused beside the question."""
    session = asked(house, "")
    gate = house.gate(session)
    address = f"/s/{session.public_id}/gates/{gate.pk}/decide/"
    wrong = {"action": "answer", "evaluator_file": SimpleUploadedFile("mine.txt", GOOD)}
    refused = client.post(address, wrong)
    assert refused.status_code == 422
    assert "Give one Python file" in refused.content.decode()
    right = {"action": "answer", "evaluator_file": SimpleUploadedFile("mine.py", GOOD)}
    assert client.post(address, right).status_code == 302
    session.refresh_from_db()
    house.drive(session)
    assert house.gate(session).plan.body["evaluator"]["label"] == "what you brought, mine.py"


def archive(code: bytes) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, content in {"own/score.py": code, "requirements.txt": b""}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def on_fireworks(house: House, tmp_path: Path, code: bytes, identifier: str = "own-one") -> str:
    """An evaluator that somebody registered without the portal; its full name."""
    packed = tmp_path / "evaluator.tar.gz"
    packed.write_bytes(archive(code))
    name = f"{house.wire.account}/evaluators/{identifier}"
    with house.person() as person:
        told = {"entryPoint": "own/score.py::evaluate", "commitHash": "x", "requirements": ""}
        made = {"evaluator": told, "evaluatorId": identifier}
        person.post(f"/v1/{house.wire.account}/evaluatorsV2", json=made).raise_for_status()
        sizes = {"filenameToSize": {packed.name: str(packed.stat().st_size)}}
        answer = person.post(f"/v1/{name}:getUploadEndpoint", json=sizes).raise_for_status().json()
        (url,) = answer["filenameToSignedUrls"].values()
        size = packed.stat().st_size
        headers = {
            "X-Goog-Content-Length-Range": f"{size},{size}",
            "Content-Type": "application/octet-stream",
        }
        request = person.build_request("PUT", url, content=packed.read_bytes(), headers=headers)
        del request.headers["Authorization"]  # a signed URL takes no key
        person.send(request).raise_for_status()
        person.post(f"/v1/{name}:validateUpload", json={}).raise_for_status()
    house.pass_time()
    return name


def test_the_source_of_an_evaluator_id_is_fetched_and_tried(
    house: House, client: Client, tmp_path: Path
) -> None:
    """Row 2.4: by ID. What comes is unpacked, run apart under its own entry point, and kept with its hash."""
    name = on_fireworks(house, tmp_path, LATIN + GOOD)
    session = asked(house, name)
    body = house.gate(session).plan.body
    assert body["evaluator"]["means"] == {"reference": 1.0, "other row's": 0.0, "empty": 0.0}
    facts = session.artifacts.get(name="evaluator/evaluator.json").detail
    assert (facts["from"], facts["entry"]) == (name, "own/score.py::evaluate")
    shown = session.artifacts.get(name="evaluator/evaluator.py").path.read_bytes()
    assert shown == LATIN + GOOD
    page = client.get(f"{session.get_absolute_url()}?tab=evaluator").content.decode()
    assert "return messages[-1]" in page


def test_an_evaluator_id_that_is_not_there_is_asked_for_again(house: House) -> None:
    session = asked(house, f"{ACCOUNT}/evaluators/nobody")
    assert f"there is no {ACCOUNT}/evaluators/nobody" in question(house, session)
    assert house.wire.calls("GET", f"{evaluators.COLLECTION}/nobody")


def test_another_strategy_answers_the_question_as_well(house: House) -> None:
    session = asked(house, uploaded("mine.py", SAME))
    house.reply(session, "Use validation loss for evaluation.")
    house.drive(session)
    assert "compare them by validation loss" in house.gate(session).plan.body["summary"]


def test_the_strategy_can_be_changed_at_the_plan(house: House) -> None:
    session = asked(house, uploaded("mine.py", GOOD))
    house.reply(session, "Use validation loss for evaluation.")
    house.drive(session)
    plan = house.gate(session).plan
    assert plan.body["evaluator"] == {}
    assert "compare them by validation loss" in plan.body["summary"]
    assert "Evaluation: an evaluator of your own became validation loss." in plan.changes
