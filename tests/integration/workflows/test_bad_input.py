"""Bad input through the command line and a worker: the fault, the line where there is one, what to do."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from sessions.models import TuningSession
from sessions.states import GateKind, Status
from tests.factories import make_base_model, make_dataset
from tests.integration.workflows.house import ACCOUNT, DATASETS, JOBS, chat, report

PICTURE = {
    "messages": [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]},
        {"role": "assistant", "content": "A cat."},
    ]
}  # fmt: skip
WITH_QWEN = "Run SFT with qwen3-8b, LoRA rank 8 and learning rate 1e-4."


def lines(rows):
    return [json.dumps(row) for row in rows]


def begin(house, tmp_path, content, instruction=WITH_QWEN):
    """A session on a file, started by the command line and advanced until it rests."""
    file = tmp_path / "given.jsonl"
    file.write_text("".join(line + "\n" for line in content))
    out = io.StringIO()
    arguments = ["session", "create", "--instruction", instruction, "--file", str(file), "--json"]
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    session = TuningSession.objects.get(public_id=json.loads(out.getvalue())["id"])
    house.clock.pass_by(60)
    house.drive(session)
    return session


def refused(capsys, instruction):
    """The faults that `create` prints; nothing is started."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("session", "create", "--instruction", instruction, "--json", stdout=out)
    assert ended.value.code == 1
    assert not TuningSession.objects.exists()
    return json.loads(out.getvalue())["errors"]


@pytest.mark.parametrize(
    ("content", "fault", "remedy"),
    [
        ([], "empty", "at least 3 samples"),
        (lines(chat(2)), "2 ", "at least 3"),
        (lines([PICTURE] * 5), "image", "Remove the images"),
    ],
    ids=["an empty file", "2 samples", "a vision dataset"],
)
def test_data_that_cannot_be_used_ends_with_fault_and_remedy(house, tmp_path, content, fault, remedy):
    """Rows 1.11 and 1.15: named, with what to do; nothing was made and nothing spent."""
    session = begin(house, tmp_path, content)
    assert session.status == Status.FAILED
    told = report(session)["failure"]
    assert (told["phase"], told["whose"]) == ("inspection", "data")
    assert "given.jsonl" in told["ours"]
    assert fault in told["ours"]
    assert remedy in told["next"]
    assert not house.remote(JOBS)
    assert not house.remote(DATASETS)


def test_a_vision_row_is_named_by_its_line(house, tmp_path):
    """Row 1.11: it refuses images and does not approximate."""
    session = begin(house, tmp_path, [*lines(chat(10)), json.dumps(PICTURE), *lines(chat(10, "shade"))])
    words = json.dumps(house.gate(session).body) if session.wake_at is None and not session.is_over else ""
    words = words or report(session)["failure"]["ours"]
    assert "line 11" in words
    assert "image" in words


def test_a_broken_line_is_asked_about_and_left_out(house, tmp_path):
    """Row 1.15: line 143 of 200 is named, and the person decides."""
    content = lines(chat(200))
    content[142] = content[142][:-9]
    session = begin(house, tmp_path, content)
    gate = house.gate(session)
    assert gate.kind == GateKind.QUESTIONS
    (question,) = gate.body["questions"]
    assert question["text"].startswith("1 of 200 rows cannot be used (line 143:")
    house.reply(session, "", action=["answer"], drop_bad_rows=["yes"])
    house.drive(session)
    data = house.gate(session).plan.body["data"]
    assert (data["samples"], data["usable"], data["dropped_rows"]) == (200, 199, 1)


def test_an_unknown_model_names_the_nearest(house, capsys):
    """Row 1.11: not in the account's list."""
    make_dataset(f"{ACCOUNT}/{DATASETS}/support")
    (error,) = refused(capsys, f"Run SFT on {ACCOUNT}/{DATASETS}/support with qwen3-9b")
    assert error["field"] == "base_models"
    assert "qwen3-9b" in error["fault"]
    assert "qwen3-8b" in error["remedy"]


def test_a_rank_of_24_is_refused(house, capsys):
    """The ranks of the API are powers of two."""
    make_dataset(f"{ACCOUNT}/{DATASETS}/support")
    (error,) = refused(capsys, f"Run SFT on {ACCOUNT}/{DATASETS}/support with qwen3-8b and LoRA rank 24")
    assert error["field"] == "lora_ranks"
    assert "24" in error["fault"]
    assert "16" in error["remedy"] + error["fault"]


def test_a_dataset_that_is_not_ready_is_refused(house, capsys):
    """Row 2.1: the state is named, and what to do."""
    make_dataset(f"{ACCOUNT}/{DATASETS}/half", state="UPLOADING", display_name="half")
    (error,) = refused(capsys, f"Run SFT on {ACCOUNT}/{DATASETS}/half with qwen3-8b")
    assert error["field"] == "dataset"
    assert "UPLOADING, not READY" in error["fault"]
    assert error["remedy"]


def test_a_dataset_that_is_not_ready_any_more_fails_with_its_state(house):
    """Row 2.1: between the form and the worker; Fireworks' own word is told."""
    name = house.dataset("changing", chat(10))
    session = house.start(dataset=name)
    house.wire.refuse("GET", "/changing", 200, name=name, state="UPLOADING")
    house.drive(session)
    told = report(session)["failure"]
    assert told["whose"] == "data"
    assert "still uploading" in told["ours"]
    assert "READY" in told["next"]


def test_a_dataset_that_is_gone_fails_with_its_name(house):
    session = house.start(dataset=f"{ACCOUNT}/{DATASETS}/gone")
    house.drive(session)
    told = report(session)["failure"]
    assert "There is no dataset accounts/rehearsal/datasets/gone" in told["ours"]
    assert told["next"]


def test_prompts_of_the_account_hold_no_labels(house):
    """Row 3.3: a classifier is told what its rows lack, not to learn preferences."""
    prompts = [{"messages": [{"role": "user", "content": f"Question {each}?"}]} for each in range(9)]
    session = house.start(workflow="classification", strategy=None, dataset=house.dataset("prompts", prompts))
    house.drive(session)
    told = report(session)["failure"]
    assert told["whose"] == "data"
    assert "no labels were found: the rows, from line 1 on, have no ground_truth" in told["ours"]
    assert told["next"].startswith("Give each row a ground_truth")


def test_a_model_that_cannot_be_tuned_is_asked_for_again(house):
    """Row 1.11: the catalogue changed after the start: another one can be named without starting anew."""
    fixed = "accounts/fireworks/models/gpt-oss-20b"
    make_base_model(fixed, tunable=False)
    session = house.start(base_models=(fixed,))
    house.drive(session)
    (question,) = house.gate(session).body["questions"]
    assert question["field"] == "base_models"
    assert "gpt-oss-20b cannot be fine-tuned" in question["text"]
    assert house.reply(session, "Use qwen3-8b.").text
    house.drive(session)
    assert house.gate(session).kind == GateKind.PLAN


@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        ("Run reinforcement fine-tuning with qwen3-8b", "Reinforcement fine-tuning is outside"),
        ("Fine-tune qwen3-8b on images", "images is outside"),
    ],
)
def test_what_is_outside_is_refused_with_where_to_go(house, capsys, instruction, words):
    """Row 1.11: it does not approximate."""
    errors = refused(capsys, instruction)
    assert any(words in error["fault"] for error in errors), errors
    assert all(error["remedy"] for error in errors)
