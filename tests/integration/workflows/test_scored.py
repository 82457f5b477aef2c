"""Runs whose candidates an evaluator scores: one that the portal writes, and ones that are brought."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
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
from tests.integration.workflows.conftest import opened
from tests.integration.workflows.house import House, chat, report
from tests.integration.workflows.learner import LearningEngine

__all__ = ["walls"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("walls"),
]
BASE = "base:accounts/fireworks/models/qwen3-8b"
GSM8K, TEXT2SQL = ("gsm8k-train", 200), ("text2sql", 100)
# Judges SQL by the parts of the expected query in it, and by whether SQLite can read it on the row's schema.
SQL = rb"""
import re
import sqlite3


def parts(query):
    return set(re.findall(r"\w+|[^\w\s]", query.lower()))


def fault_of(query, question):
    database = sqlite3.connect(":memory:")
    for table in re.findall(r"CREATE TABLE [^(]+\([^)]*\)", question):
        database.execute(table)
    try:
        database.execute("EXPLAIN " + query)
    except sqlite3.Error as fault:
        return str(fault)
    finally:
        database.close()
    return ""


def evaluate(messages, ground_truth=None, **row):
    question, answer = messages[-2]["content"], messages[-1]["content"] or ""
    ours, theirs = parts(answer), parts(ground_truth)
    fault = fault_of(answer, question) if answer else "no query"
    score = 0.75 * len(ours & theirs) / len(ours | theirs) + (0.0 if fault else 0.25)
    return {"score": score, "reason": fault or "SQLite can read it"}
"""


def rows_of(name: str, count: int) -> list[dict[str, Any]]:
    """The first rows of a file of shared/data; the test is skipped where it is not."""
    path = Path(__file__).parents[4] / "shared" / "data" / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"the real data are not here: shared/data/{path.name}")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in islice(lines, count)]


@pytest.fixture
def learnt(db: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[House, str]]:
    """A local Fireworks whose models know more of a dataset the higher their rank, and the dataset."""
    rows = rows_of(*request.param)
    with opened(tmp_path, engine=LearningEngine.of(rows)) as house:
        yield house, house.dataset("real", rows)


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


@pytest.mark.parametrize("learnt", [GSM8K], indirect=True, ids=["gsm8k"])
def test_gsm8k_with_a_generated_evaluator(learnt: tuple[House, str], client: Client) -> None:
    """Rows 2.4, 2.9, 2.10 and 5.1: the evaluator is written once, scores base and candidates, and decides for
    the one with more right numbers, against the loss."""
    house, dataset = learnt
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
    assert (
        gate.body["rule"] == "Highest mean score by the evaluator (the final number) on the 20 held-out rows."
    )
    assert scored["candidate:2"].value > scored["candidate:1"].value > scored[BASE].value
    assert_score_beats_loss(session, gate.body)
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


def assert_score_beats_loss(session: TuningSession, body: dict[str, Any]) -> None:
    """The higher rank is suggested: it knows more, and its validation loss is the worse one."""
    first, second = session.candidates.filter(number__lte=2).order_by("number")
    assert (first.lora_rank, second.lora_rank) == (8, 16)
    assert first.validation_loss < second.validation_loss
    assert (body["suggested"], [each["number"] for each in body["ranking"]]) == (2, [2, 1])
    assert body["against_base"].startswith("Candidate 2 is better than qwen3-8b untuned: ")


@pytest.mark.parametrize("learnt", [TEXT2SQL], indirect=True, ids=["text2sql"])
def test_text2sql_with_a_brought_evaluator(learnt: tuple[House, str], client: Client) -> None:
    """Rows 2.4 and 2.9: an uploaded archive that judges SQL decides between two candidates, against the loss,
    and puts the suggested one clearly above its base."""
    house, dataset = learnt
    evaluator = uploaded("mine.zip", zipped(evaluator_py=SQL, requirements_txt=b"eval-protocol\n"))
    session = begin(
        house, f"Run SFT on {dataset} with qwen3-8b, ranks 8 and 16 and learning rate 1e-4, 1 epoch.",
        strategy="evaluator", evaluator=evaluator, heldout_rows="20",
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
    assert_score_beats_loss(session, house.gate(session).body)
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED, session.failure
    scored = {each.subject: each.value for each in session.evaluations.filter(metric="score")}
    assert scored["candidate:2"] > scored["candidate:1"] > scored[BASE]
    assert session.phases.get(phase=Phase.TRAINING).state == PhaseState.SKIPPED

    table = list(
        csv.DictReader(io.StringIO(client.get(f"/s/{session.public_id}/answers.csv").getvalue().decode()))
    )
    assert Counter(row["subject"] for row in table) == {BASE: 20, "candidate:1": 20, "candidate:2": 20}
    assert [row["row"] for row in table] == [str(at) for at in range(1, 21) for _ in range(3)]
    assert all(row["question"] and row["expected"] and row["score"] for row in table)
    right = [row for row in table if row["answer"] == row["expected"]]
    assert {row["reason"] for row in right} == {"SQLite can read it"}
    assert {float(row["score"]) for row in right} == {1.0}
    half = [row for row in table if row not in right]
    assert all(float(row["score"]) < 1 for row in half)
    improved = len(right_of(table, "candidate:2") - right_of(table, BASE))
    assert improved > 0

    page = client.get(f"{session.get_absolute_url()}?tab=evaluation").content.decode()
    assert "20 of 20 answers have a score." in page
    assert f'href="/s/{session.public_id}/answers/?show=improved">{improved} score higher</a>' in page
    answers = client.get(f"/s/{session.public_id}/answers/?show=improved").content.decode()
    assert answers.count("answer-row") == improved
    streamed = async_to_sync(read_whole)(f"/s/{session.public_id}/answers.csv")
    assert list(csv.DictReader(io.StringIO(streamed))) == table
    session.answers.update(result={})  # of a session whose answers are read otherwise
    for page in ("answers/", "answers.csv"):
        assert client.get(f"/s/{session.public_id}/{page}").status_code == 404
    text = session.artifacts.get(name="final_report.md").path.read_text()
    assert "evaluator/evaluator.py" in text
    assert "Candidate 2 is better than qwen3-8b untuned" in text


def right_of(table: list[dict[str, str]], subject: str) -> set[str]:
    """The rows that a subject answered as expected."""
    return {row["row"] for row in table if row["subject"] == subject and row["answer"] == row["expected"]}


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


LENGTH = b"""
def evaluate(messages, ground_truth=None, **row):
    return min(1.0, len(messages[-1]["content"] or "") / 1000)
"""


def test_answers_that_were_cut_are_told_everywhere(house: House, client: Client) -> None:
    """These models say the question again, which is longer than any answer was expected to be."""
    session = house.approved(
        dataset=house.dataset("long", chat(40, "one " * 70)), heldout_rows=8, deploy=False,
        strategy="evaluator", evaluator=uploaded("mine.py", LENGTH),
    )  # fmt: skip
    house.drive(session)
    told = "Cut at the most tokens, so their scores may read low: 8 of 8 answers of Candidate 1."
    assert house.gate(session).body["certainty"].endswith(told)
    assert session.events.filter(text__endswith="; 8 of its answers were cut at 64 tokens").count() == 2
    house.reply(session, "Proceed with the winning config.")
    house.drive(session)
    page = client.get(f"{session.get_absolute_url()}?tab=evaluation").content.decode()
    assert "8 were cut at the most tokens" in page
    assert [each["cut"] for each in report(session)["scores"]["rows"]] == [8, 8]
    assert told in session.artifacts.get(name="final_report.md").path.read_text()
