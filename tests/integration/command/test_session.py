"""`manage.py session`: the verbs, over the same actions as the pages."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from sessions.models import TuningSession
from sessions.states import Decision, Status
from tests.factories import (
    QWEN,
    make_account,
    make_base_model,
    make_dataset,
    make_gate,
    make_plan,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db
DATASET = "accounts/rehearsal/datasets/support"


@pytest.fixture(autouse=True)
def stocked():
    make_account()
    make_base_model(QWEN)
    make_dataset(DATASET)


def run(*arguments):
    out = io.StringIO()
    call_command("session", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def facts(*arguments):
    return json.loads(run(*arguments, "--json"))


def test_an_instruction_starts_a_session_with_the_words_behind_each_value():
    made = facts("create", "--instruction", f"Run SFT on {DATASET} with qwen3-8b and LoRA ranks 8 and 16.")
    session = TuningSession.objects.get(public_id=made["id"])
    assert session.status == Status.QUEUED
    assert made["specification"]["lora_ranks"] == {
        "value": [8, 16],
        "origin": "said",
        "words": "LoRA ranks 8 and 16",
    }


def test_what_cannot_be_run_is_refused_with_the_remedy_and_starts_nothing(capsys):
    with pytest.raises(SystemExit) as ended:
        run("create", "--instruction", f"Run SFT on {DATASET} with qwen3-8b and LoRA rank 24", "--json")
    assert ended.value.code == 1
    assert not TuningSession.objects.exists()


def test_reading_creates_nothing():
    read = facts("read", "Use qwen3-8b and paint it blue, with LoRA rank 24.")
    assert read["values"]["base_models"]["value"] == [QWEN]
    assert any("blue" in words for words in read["not_understood"])
    assert "power of two" in read["errors"][0]["fault"]
    assert "dataset" in read["missing"]
    assert not TuningSession.objects.exists()


def test_a_reading_has_values_origins_words_and_what_is_missing():
    text = f"Run SFT on {DATASET} under $5 for 3 epochs with labels yes and no. Nicely, batch size 8."
    read = facts("read", text)
    assert read["text"] == text
    assert read["values"]["budget"] == {"value": "5.00", "origin": "said", "words": "under $5"}
    assert read["values"]["workflow"] == {"value": "sft", "origin": "said", "words": "Run SFT"}
    assert {text[span["start"] : span["end"]] for span in read["spans"]} >= {"under $5", "for 3 epochs"}
    assert read["not_understood"] == ["Nicely", "batch size 8"]
    assert read["recognised"] == {"batch size 8": "batch size"}
    assert read["missing"] == ["base_models"]
    assert [error["field"] for error in read["errors"]] == ["labels"]
    shown = run("read", text).splitlines()
    assert "Budget: $5 (you said, “under $5”)" in shown
    assert "not understood: “batch size 8” (recognised as batch size, which has no place here)" in shown
    assert "not said yet: base models" in shown
    assert not TuningSession.objects.exists()


def test_what_is_outside_the_portal_is_refused_and_starts_nothing():
    text = f"Run reinforcement fine-tuning on {DATASET} using qwen3-8b."
    assert "outside what this portal does" in facts("read", text)["errors"][0]["fault"]
    with pytest.raises(SystemExit):
        run("create", "--instruction", text)
    assert not TuningSession.objects.exists()


def test_another_workflow_is_read():
    read = facts("read", f"Run DPO on {DATASET} using qwen3-8b with beta 0.1.")
    assert {name: entry["value"] for name, entry in read["values"].items()} == {
        "workflow": "preference",
        "method": "dpo",
        "dataset": DATASET,
        "base_models": [QWEN],
        "betas": [0.1],
    }
    assert read["errors"] == []


def test_a_question_is_answered_and_decides_nothing():
    session = make_session()
    gate = make_gate(session)
    told = facts("update", session.public_id, "--instruction", "Why so expensive?")
    assert told["kind"] == "told"
    assert told["lines"] == ["Candidate 1: $0.70 to $1.30 (1,000 tokens × 1 epoch)"]
    listed = run("update", session.public_id, "--instruction", "Which base models do you support?")
    assert "qwen3-8b" in listed
    gate.refresh_from_db()
    assert gate.is_open


def test_a_typed_approval_decides_the_plan_and_says_so():
    session = make_session()
    gate = make_gate(session)
    assert facts("get", session.public_id)["waiting_for"]["kind"] == "plan"
    answered = facts("update", session.public_id, "--instruction", "Approved, proceed.")
    gate.refresh_from_db()
    assert gate.decision == Decision.APPROVED
    assert answered["approved_usd"] == "1.300000"


@pytest.mark.parametrize(
    ("named", "refusal"),
    [
        ((), "There are 2 revisions of the plan.*--revision 2"),
        (("--revision", "1"), "Revision 1 is not the newest.*--revision 2"),
        (("--revision", "3"), "Revision 3 is not the newest.*--revision 2"),
        (("--revision", "2"), ""),
    ],
)
def test_an_approval_names_the_revision_that_was_read(named, refusal):
    """Row 1.6: who read the first revision must not approve the second."""
    session = make_session()
    make_plan(session)
    gate = make_gate(session, plan=make_plan(session, 2))
    assert "waits    for your decision: plan, revision 2" in run("get", session.public_id)
    approval = ("update", session.public_id, "--instruction", "Approved, proceed.", *named)
    if refusal:
        with pytest.raises(CommandError, match=refusal):
            run(*approval)
    else:
        run(*approval)
    gate.refresh_from_db()
    assert gate.decision == (Decision.OPEN if refusal else Decision.APPROVED)


def test_changes_need_no_revision():
    session = make_session()
    make_plan(session)
    gate = make_gate(session, plan=make_plan(session, 2))
    run("update", session.public_id, "--instruction", "Use 2 epochs instead.")
    gate.refresh_from_db()
    assert gate.decision == Decision.CHANGES


def test_a_revision_is_refused_where_no_plan_waits():
    session = make_session()
    make_gate(session, "trouble", body={"text": "x"})
    with pytest.raises(CommandError, match="leave --revision out"):
        run("update", session.public_id, "--instruction", "Go on.", "--revision", "1")


def test_words_that_are_not_understood_approve_nothing():
    session = make_session()
    gate = make_gate(session)
    with pytest.raises(CommandError):
        run("update", session.public_id, "--instruction", "Well, hmm.")
    gate.refresh_from_db()
    assert gate.is_open


def test_waiting_for_events_ends_at_a_gate():
    session = make_session()
    make_gate(session)
    lines = [json.loads(line) for line in run("events", session.public_id, "--wait", "--json").splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, session.event_seq + 1))
    assert facts("list")[0]["status"] == "waiting"


def test_cancelling_twice_is_told():
    session = make_session()
    run("cancel", session.public_id)
    with pytest.raises(CommandError, match="nothing to cancel"):
        run("cancel", session.public_id)


def test_someone_elses_session_is_not_there():
    session = make_session(make_user())
    with pytest.raises(CommandError, match="There is no session"):
        run("get", session.public_id)
    assert facts("get", session.public_id, "--user", "someone-else")["id"] == session.public_id


def test_there_is_no_report_before_the_end():
    with pytest.raises(CommandError, match="no report yet"):
        run("report", make_session().public_id)


def test_an_evaluator_is_brought_along(tmp_path):
    code, wrong = tmp_path / "mine.py", tmp_path / "mine.txt"
    code.write_text("def evaluate(messages, ground_truth=None, **row):\n    return 1\n")
    wrong.write_text("x")
    instruction = f"Run SFT on {DATASET} with qwen3-8b."
    made = facts("create", "--instruction", instruction, "--evaluator", str(code))
    session = TuningSession.objects.get(public_id=made["id"])
    assert session.value("strategy") == "evaluator"
    assert session.value("evaluator").startswith("upload:")
    with pytest.raises(CommandError, match="Give one Python file"):
        run("create", "--instruction", instruction, "--evaluator", str(wrong))
