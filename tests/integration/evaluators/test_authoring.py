"""Evaluator authoring from its start to its report (product section 5)."""

from __future__ import annotations

import csv
import html
import tarfile
from typing import Any

import pytest
from django.test import Client

from fwportal.middleware import owner
from sessions import replies
from sessions.actions.starting import create_session
from sessions.forms import Typed
from sessions.intake import shelf, take
from sessions.models import TuningSession
from sessions.specification import Entry, Origin
from sessions.states import GateKind, Phase, PhaseState, Status
from tests.integration.workflows.house import House, chat

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("walls"),
]
COLOURS = "the answer must be the right one of the labels"


def sums(count: int = 12) -> list[dict[str, Any]]:
    """Rows whose answers end in a number, the way GSM8K writes them."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"What is {at} + 3?"},
                {"role": "assistant", "content": f"{at} + 3 is {at + 3}.\n#### {at + 3}"},
            ]
        }
        for at in range(count)
    ]


def begin(house: House, sentence: str) -> TuningSession:
    """A session from one sentence, as the page starts it."""
    intake = take(Typed(sentence, {}), shelf(), owner(), house.clock().date())
    assert not intake.errors
    session = create_session(owner(), intake.start({}))
    TuningSession.objects.filter(pk=session.pk).update(wake_at=house.clock())
    session.refresh_from_db()
    return session


def test_from_a_sentence_to_both_files(house: House, client: Client) -> None:
    dataset = house.dataset("sums", sums())
    session = begin(house, f"Write an evaluator for {dataset}: the final number must match")
    house.drive(session)

    assert session.status == Status.SUCCEEDED
    assert not session.gates.exists()
    states = {run.phase: run.state for run in session.phases.all()}
    skipped = {name for name, state in states.items() if state == PhaseState.SKIPPED}
    assert skipped == {"planning", "sweep", "training", "deployment"}
    files = {each.name: each for each in session.artifacts.all()}
    code = files["outputs/evaluator.py"].path.read_text()
    space: dict[str, Any] = {"__name__": "evaluator"}
    exec(code, space)
    assert space["evaluate"]([{"role": "assistant", "content": "it is 7"}], "#### 7")["score"] == 1
    page = html.unescape(client.get(session.get_absolute_url()).content.decode())
    assert "The evaluator is written" in page
    assert "def final_number(text: str)" in page
    assert "What the evaluator checks" in page
    assert "outputs/eval_spec.md" in files
    assert code.strip() in page
    report = files["final_report.md"].path.read_text()
    assert "An evaluator was written" in report
    assert not house.wire.calls("POST", "evaluators")


def test_what_is_missing_is_asked_on_one_page(house: House) -> None:
    dataset = house.dataset("sums", chat(12))
    session = begin(house, "Author an evaluator")
    house.drive(session)

    asked = house.gate(session)
    assert [each["field"] for each in asked.body["questions"]] == ["dataset", "criterion"]
    house.reply(session, "", action=["answer"], dataset=[dataset], criterion=[COLOURS])
    house.drive(session)
    assert session.status == Status.SUCCEEDED
    facts = session.artifacts.get(name="outputs/evaluator.json").detail
    assert (facts["kind"], facts["means"]["reference"], facts["means"]["spoiled"]) == ("one_of", 1.0, 0.0)


def test_what_no_rule_checks_is_asked_in_other_words(house: House) -> None:
    dataset = house.dataset("sums", sums())
    session = begin(house, f"Write an evaluator for {dataset}: the tone must be friendly")
    house.drive(session)

    gate = house.gate(session)
    assert gate.kind == GateKind.QUESTIONS
    [question] = gate.body["questions"]
    assert "No rule of the portal checks “the tone must be friendly”" in question["text"]
    assert "The final number must match." in [each["value"] for each in question["options"]]
    house.reply(session, "", action=["answer"], criterion=["The final number must match."])
    house.drive(session)
    assert session.status == Status.SUCCEEDED


def test_a_useless_evaluator_is_refused(house: House) -> None:
    rows = [
        {"messages": [{"role": "user", "content": f"{at}?"}, {"role": "assistant", "content": "No"}]}
        for at in range(12)
    ]
    dataset = house.dataset("same", rows)
    session = begin(house, f"Write an evaluator for {dataset}: it must mention “Yes”")
    house.drive(session)
    [question] = house.gate(session).body["questions"]
    assert "it gives every sample the same score (0), so it is useless" in question["text"]


def test_the_same_data_gives_the_same_files(house: House) -> None:
    dataset = house.dataset("sums", sums(60))
    digests = []
    for _ in range(2):
        session = begin(house, f"Write an evaluator for {dataset}: the final number must match")
        house.drive(session)
        names = ("outputs/evaluator.py", "outputs/eval_spec.md", "outputs/evaluator_scores.csv")
        digests.append([session.artifacts.get(name=name).sha256 for name in names])
    assert digests[0] == digests[1]


def test_registering_takes_an_approval(house: House, client: Client) -> None:
    dataset = house.dataset("sums", sums())
    session = begin(
        house, f"Write an evaluator for {dataset}: the final number must match. Register it on Fireworks."
    )
    house.drive(session)
    gate = house.gate(session)
    assert gate.kind == GateKind.PLAN
    assert not house.wire.calls("POST", "evaluators")
    assert "Register the evaluator on Fireworks" in client.get(session.get_absolute_url()).content.decode()

    house.reply(session, "Approved, proceed.")
    house.drive(session)
    assert session.status == Status.SUCCEEDED
    [made] = house.remote("evaluators")
    assert made["state"] == "ACTIVE"
    assert made["entryPoint"] == "evaluator.py::test_answer"
    assert made["name"] in client.get(session.get_absolute_url()).content.decode()
    [line] = session.ledger.all()
    assert line.expected is None  # no price is stated, and none is guessed


def test_who_rejects_keeps_the_files_and_registers_nothing(house: House) -> None:
    dataset = house.dataset("sums", sums())
    session = begin(house, f"Write an evaluator for {dataset}: the final number must match. Register it.")
    house.drive(session)
    house.reply(session, "", action=["reject"])
    house.drive(session)
    assert session.status == Status.CANCELLED
    assert session.artifacts.filter(name="outputs/evaluator.py").exists()
    assert not house.wire.calls("POST", "evaluators")


REGISTERED = "the final number must match. Register it on Fireworks."


def changed(house: House, session: TuningSession, **values: Any) -> None:
    """Changes of the specification at the open gate, as a reply brings them."""
    entries = {name: Entry(value, Origin.SAID) for name, value in values.items()}
    entered = replies.Entered(house.gate(session), owner(), {}, house.clock(), shelf().context)
    assert replies.request_changes(entered, entries).kind == replies.Kind.DECIDED
    house.drive(session)


def test_changes_at_the_gate_write_the_evaluator_anew(house: House) -> None:
    session = begin(house, f"Write an evaluator for {house.dataset('sums', sums(60))}: {REGISTERED}")
    house.drive(session)
    first = house.gate(session).plan
    changed(house, session, criterion="exactly the reference")

    second = house.gate(session).plan
    assert first
    assert second
    assert second.revision == 2
    assert "exactly the reference" in second.changes[0]
    assert first.body["code_sha256"] != second.body["code_sha256"]
    assert second.body["code_sha256"] == session.artifacts.get(name="outputs/evaluator.py").sha256
    assert session.phases.get(phase=Phase.EVALUATION).note.startswith("checks the same text")

    samples = session.artifacts.get(name="outputs/evaluator_scores.csv").sha256
    changed(house, session, seed=7)
    assert session.artifacts.get(name="outputs/evaluator_scores.csv").sha256 != samples
    assert not house.wire.calls("POST", "evaluators")

    house.reply(session, "Approved, proceed.")
    house.drive(session)
    code = session.artifacts.get(name="outputs/evaluator.py").path.read_bytes()
    with tarfile.open(session.artifacts.get(name="outputs/evaluator.tar.gz").path) as archive:
        sent = archive.extractfile("evaluator.py")
        assert sent
        assert sent.read() == code


def test_a_change_that_no_rule_checks_is_asked_about(house: House) -> None:
    session = begin(house, f"Write an evaluator for {house.dataset('sums', sums())}: {REGISTERED}")
    house.drive(session)
    changed(house, session, criterion="the tone must be friendly")
    assert house.gate(session).kind == GateKind.QUESTIONS
    house.reply(session, "", action=["answer"], criterion=["The final number must match."])
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN
    assert session.artifacts.get(name="outputs/evaluator.json").detail["kind"] == "numeric"


def test_an_approval_covers_the_code_that_was_there(house: House) -> None:
    """Files that became others behind the gate are put before the person again."""
    session = begin(house, f"Write an evaluator for {house.dataset('sums', sums())}: {REGISTERED}")
    house.drive(session)
    session.artifacts.filter(name="outputs/evaluator.py").update(sha256="0" * 64)
    house.reply(session, "Approved, proceed.")
    house.drive(session)
    gate = house.gate(session)
    assert gate.plan
    assert (gate.plan.revision, gate.plan.body["code_sha256"]) == (2, "0" * 64)
    assert not house.wire.calls("POST", "evaluators")


def test_a_person_may_take_their_time(house: House) -> None:
    """The deadline is for Fireworks; it begins when the evaluator is made."""
    session = begin(house, f"Write an evaluator for {house.dataset('sums', sums())}: {REGISTERED}")
    house.drive(session)
    house.clock.pass_by(86_400)
    house.reply(session, "Approved, proceed.")
    house.advance(session)
    assert house.remote("evaluators")[0]["state"] == "BUILDING"
    house.drive(session)
    assert session.status == Status.SUCCEEDED
    assert not session.events.filter(kind="retry").exists()


@pytest.mark.parametrize("ending", [":validateUpload", ":getUploadEndpoint", "evaluatorsV2"])
def test_lost_answers_while_registering_are_no_end(house: House, ending: str) -> None:
    session = begin(house, f"Write an evaluator for {house.dataset('sums', sums())}: {REGISTERED}")
    house.drive(session)
    house.reply(session, "Approved, proceed.")
    house.wire.lose("POST", ending, times=6)  # more often than the client asks by itself
    house.drive(session)
    assert session.status == Status.SUCCEEDED
    assert len(house.remote("evaluators")) == 1


def test_long_answers_are_cut_in_the_table_of_scores(house: House, client: Client) -> None:
    """One cell beyond what the csv module reads would take the session's page away for good."""
    long = sums()
    long[0]["messages"][-1]["content"] = "x" * 200_000 + " #### 3"
    session = begin(
        house, f"Write an evaluator for {house.dataset('long', long)}: the final number must match"
    )
    house.drive(session)
    assert session.status == Status.SUCCEEDED
    assert client.get(session.get_absolute_url()).status_code == 200
    with session.artifacts.get(name="outputs/evaluator_scores.csv").path.open(newline="") as file:
        assert max(len(row["text"]) for row in csv.DictReader(file)) == 2_001
