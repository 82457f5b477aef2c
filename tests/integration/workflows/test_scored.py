"""Runs whose candidates an evaluator scores: one that the portal writes, and ones that are brought."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client

from fwportal.middleware import owner
from sessions.actions import uploading
from sessions.actions.starting import create_session
from sessions.forms import Typed
from sessions.intake import shelf, take
from sessions.models import Evaluation, TuningSession
from sessions.states import GateKind, Phase, PhaseState, Status
from tests.integration.evaluators.conftest import walls
from tests.integration.workflows.house import House, report

__all__ = ["walls"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("walls"),
]
BASE = "base:accounts/fireworks/models/qwen3-8b"
# Tuned stand-ins of these tests say the name of their adapter first: whoever says it has learnt.
LEARNT = b'''
def evaluate(messages, ground_truth=None, **row):
    """Half a point for being tuned, and more for each word of the expected query, if tuned."""
    answer = messages[-1]["content"] or ""
    words = str(ground_truth).lower().split()
    found = sum(word in answer.lower() for word in words) / max(1, len(words))
    right = answer == ground_truth
    tuned = 0.5 + 0.4 * found if "+fwp-" in answer else 0.1 * found
    return {"score": 1.0 if right else tuned, "reason": f"{found:.2f}"}
'''


def rows_of(name: str, count: int) -> list[dict[str, Any]]:
    """The first rows of a file of shared/data; a checkout without it has the same shape on paper."""
    path = Path(__file__).parents[4] / "shared" / "data" / name
    if path.exists():
        with path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in islice(lines, count)]
    return [
        {
            "messages": [
                {"role": "user", "content": f"Anna has {at} apples and buys {at % 7}. How many has she?"},
                {"role": "assistant", "content": f"{at} + {at % 7} = {at + at % 7}\n#### {at + at % 7}"},
            ]
        }
        for at in range(1, count + 1)
    ]


def begin(house: House, sentence: str, **fields: str) -> TuningSession:
    """A session as the page starts it."""
    intake = take(Typed(sentence, fields), shelf(), owner(), house.clock().date())
    assert not intake.errors, intake.errors
    session = create_session(owner(), intake.start({}))
    TuningSession.objects.filter(pk=session.pk).update(wake_at=house.clock())
    session.refresh_from_db()
    return session


def uploaded(name: str, content: bytes) -> str:
    given = SimpleUploadedFile(name, content)
    return uploading.receive(owner(), given, uploading.EVALUATOR).reference


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return packed.getvalue()


def test_gsm8k_with_a_generated_evaluator(house: House, client: Client) -> None:
    """Rows 2.4, 2.9, 2.10 and 5.1: the evaluator is written once, scores base and candidates, and decides."""
    dataset = house.dataset("gsm8k", rows_of("gsm8k-train.jsonl", 200))
    session = begin(
        house,
        f"Run SFT on {dataset} with qwen3-8b. Generate an evaluator for me. "
        "What counts as right: “the final number must match”. Use LoRA ranks 8 and 16 with "
        "learning rate 1e-4. Use 60 samples for HP tuning. Train for 1 epoch.",
    )
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN, house.gate(session).body
    plan = house.gate(session).plan.body
    assert "the mean score of an evaluator (the final number)" in plan["summary"]
    asked = [line["item"] for line in plan["estimate"]["lines"] if line["group"] == "Inference"]
    subjects = (BASE, "candidate:1", "candidate:2", "candidate:3")
    assert set(asked) == {f"inference:heldout:{each}" for each in subjects} | {
        f"deployment:heldout:{BASE.removeprefix('base:')}"
    }
    assert "evaluator.py" in client.get(f"{session.get_absolute_url()}?tab=evaluator").content.decode()

    house.reply(session, "Approved, proceed.")
    house.drive(session)
    gate = house.gate(session)
    assert gate.kind == GateKind.PROMOTION, gate.body
    scored = {each.subject: each for each in Evaluation.objects.filter(session=session, metric="score")}
    assert set(scored) == {BASE, "candidate:1", "candidate:2"}
    assert {each.rows for each in scored.values()} == {20}
    assert gate.body["rule"].startswith(
        "Lowest validation loss, since the evaluator gave every answer the same"
    )
    assert "gave every answer the same score" in gate.body["certainty"]
    page = client.get(f"{session.get_absolute_url()}?tab=scoreboard").content.decode()
    assert "qwen3-8b, untuned" in page
    assert "Score" in page

    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    final = session.evaluations.get(subject="candidate:3", metric="score")
    assert (final.rows, final.provenance["evaluator_file"]) == (20, "outputs/evaluator.py")
    note = session.phases.get(phase=Phase.EVALUATION).note
    assert note.startswith(f"mean score {final.value:.3f} on 20 held-out rows (the winning candidate ")
    told = {(each["model"], each["metric"]) for each in report(session)["evaluations"]}
    assert {("Full-data run", "score"), ("qwen3-8b, untuned", "score")} <= told
    assert session.events.filter(kind="evaluator-written").count() == 1
    assert session.events.filter(kind="inspected").count() == 1


def test_text2sql_with_a_brought_evaluator(house: House, client: Client) -> None:
    """Rows 2.4 and 2.9: an uploaded archive decides which candidate is suggested, clearly above its base."""
    dataset = house.dataset("sql", rows_of("text2sql.jsonl", 100))
    evaluator = uploaded("mine.zip", zipped(evaluator_py=LEARNT, requirements_txt=b"eval-protocol\n"))
    session = begin(
        house, f"Run SFT on {dataset} with qwen3-8b, rank 8 and learning rate 1e-4, 1 epoch.",
        strategy="evaluator", evaluator=evaluator,
    )  # fmt: skip
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN, house.gate(session).body
    plan = house.gate(session).plan.body
    assert plan["evaluator"]["label"] == "what you brought, mine.zip"
    assert plan["evaluator"]["means"]["reference"] == 1.0
    assert "comparing their answers comes on top" in plan["time"]["how"]
    assert client.get(f"/s/{session.public_id}/answers/").status_code == 404  # nothing was asked yet
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    body = house.gate(session).body

    assert body["against_base"].startswith("Candidate 1 is better than qwen3-8b untuned: ")
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    scored = {each.subject: each for each in session.evaluations.filter(metric="score")}
    assert scored["candidate:1"].value > scored[BASE].value + 0.4
    assert session.phases.get(phase=Phase.TRAINING).state == PhaseState.SKIPPED

    page = client.get(f"{session.get_absolute_url()}?tab=evaluation").content.decode()
    assert "10 of 10 answers have a score." in page
    assert f'href="/s/{session.public_id}/answers/?show=improved">10 score higher</a>' in page
    answers = client.get(f"/s/{session.public_id}/answers/?show=improved").content.decode()
    assert answers.count("answer-row") == 10
    table = list(
        csv.DictReader(io.StringIO(client.get(f"/s/{session.public_id}/answers.csv").getvalue().decode()))
    )
    assert len(table) == 20
    assert {row["subject"] for row in table} == {BASE, "candidate:1"}
    assert [row["row"] for row in table] == [str(at) for at in range(1, 11) for _ in range(2)]
    assert all(row["question"] and row["expected"] and row["score"] for row in table)
    streamed = async_to_sync(read_whole)(f"/s/{session.public_id}/answers.csv")
    assert list(csv.DictReader(io.StringIO(streamed))) == table
    session.answers.update(result={})  # of a session whose answers are read otherwise
    for page in ("answers/", "answers.csv"):
        assert client.get(f"/s/{session.public_id}/{page}").status_code == 404
    text = session.artifacts.get(name="final_report.md").path.read_text()
    assert "evaluator/evaluator.py" in text
    assert "Candidate 1 is better than qwen3-8b untuned" in text


async def read_whole(address: str) -> str:
    """As it is streamed under ASGI, where a plain iterator would be collected first (and warned about)."""
    answer = await AsyncClient().get(address)
    assert answer.is_async
    return b"".join([part async for part in answer]).decode()


BAD_AT_TIMES = b"""
def evaluate(messages, ground_truth=None, **row):
    answer = messages[-1]["content"] or ""
    if "+fwp-" in answer and "Number 1" in answer:
        raise ValueError("no number in it")
    return 0.5 if answer != ground_truth else 1.0
"""


def test_answers_without_a_score_are_counted_and_nothing_is_scored_twice(house: House) -> None:
    """A row that the evaluator cannot take is no zero: it is counted apart, and the page shows its fault."""
    session = house.approved(
        rows=60, strategy="evaluator", evaluator=uploaded("mine.py", BAD_AT_TIMES), heldout_rows=20
    )
    asked = {"asked": 0}

    def scored_once() -> bool:
        rows = session.answers.filter(subject=BASE).exclude(result={})
        asked["asked"] = max(asked["asked"], rows.count())
        return asked["asked"] == 20

    house.drive(session, until=scored_once)
    before = {each.pk: each.result for each in session.answers.filter(subject=BASE)}
    house.drive(session)
    assert {each.pk: each.result for each in session.answers.filter(subject=BASE)} == before
    tuned = session.evaluations.get(subject="candidate:1", metric="score")
    failed = [each for each in session.answers.filter(subject="candidate:1") if "fault" in each.result]
    assert failed
    assert "ValueError: no number in it (line 5 of evaluator.py)" in failed[0].result["fault"]
    assert (tuned.rows, tuned.provenance["failed"]) == (20 - len(failed), len(failed))
    assert len({each.row for each in session.answers.filter(subject="candidate:1")}) == 20
