"""Bad input through the form: fault, line and remedy are seen, and what was typed is still there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.rest import ACCOUNT, Fireworks

ROW = json.dumps({"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Ho."}]})
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
LOOK = [{"type": "text", "text": "What is this?"}, PICTURE]
VISION = json.dumps({"messages": [{"role": "user", "content": LOOK}, {"role": "assistant", "content": "A."}]})
FILES = {
    "empty": "",
    "two": f"{ROW}\n" * 2,
    "broken": f"{ROW}\n" * 142 + '{"messages": [{"role": "user", \n' + f"{ROW}\n" * 57,
    "vision": f"{VISION}\n" * 4,
}
FAULTS = [
    ("empty", "the file is empty", "Choose a file with at least 3 samples"),
    ("two", "2 usable samples", "at least 3: add samples"),
    ("broken", "Line 143", "leave it out"),
    ("vision", "Line 1: 4 of 4 rows hold images", "Remove the images"),
]


def typed_into(person: Person) -> None:
    """Something of everything a person may have entered before."""
    person.choose_model("qwen3-8b")
    person.page.fill("#epochs", "3")
    person.page.click("details.fold summary:has-text('Advanced')")
    person.page.fill("#title", "Kept whatever happens")


def still_there(person: Person) -> None:
    page = person.page
    expect(page.locator("input[name=base_models][value$='/qwen3-8b']")).to_be_checked()
    expect(page.locator("#epochs")).to_have_value("3")
    expect(page.locator("#title")).to_have_value("Kept whatever happens")


@pytest.mark.parametrize(("name", "fault", "remedy"), FAULTS, ids=[name for name, *_ in FAULTS])
def test_a_file_that_cannot_be_used(
    person: Person, tmp_path: Path, name: str, fault: str, remedy: str
) -> None:
    file = tmp_path / f"{name}.jsonl"
    file.write_text(FILES[name])
    person.page.goto("/new/")
    typed_into(person)
    person.choose_file(file)
    person.press_start()
    person.sees(".error-summary", "This cannot start yet.")
    for words in (file.name, fault, remedy):
        person.sees(".error-summary", words)
    still_there(person)
    expect(person.page.locator("#upload .upload")).to_contain_text(file.name)


def test_a_broken_line_can_be_left_out(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text(FILES["broken"])
    person.page.goto("/new/")
    card = person.choose_file(file)
    expect(card.locator(".problem")).to_contain_text("Line 143")
    expect(card.locator(".problem .excerpt")).to_contain_text('{"messages"')
    person.page.check("input[name=drop_bad_rows][type=checkbox]")
    person.choose_model("qwen3-8b")
    person.sees("#side", "180 train, 19 held out")


@pytest.mark.parametrize(
    ("sentence", "fault", "remedy"),
    [
        (
            "Run SFT on dataset support-replies with gpt-9-turbo, 3 epochs",
            "gpt-9-turbo",
            "Choose one from the list",
        ),
        ("Run SFT on dataset support-replies with qwen3-8b, LoRA rank 24", "24", "8, 16"),
    ],
    ids=["unknown model", "rank 24"],
)
def test_a_sentence_that_cannot_be_followed(person: Person, sentence: str, fault: str, remedy: str) -> None:
    person.page.goto("/new/")
    person.write(sentence)
    person.sees("#marks .field-error", fault)
    person.press_start()
    person.sees(".error-summary", "This cannot start yet.")
    person.sees(".error-summary", fault)
    person.sees(".error-summary", remedy)
    expect(person.page.locator("#instruction")).to_have_value(sentence)


def test_a_dataset_that_is_not_ready(person: Person, fireworks: Fireworks) -> None:
    fireworks.make_dataset("half-done")
    person.finds_listed(f"{ACCOUNT}/datasets/half-done", ready=False)
    sentence = "Run SFT on dataset half-done with qwen3-8b, 3 epochs"
    person.write(sentence)
    person.press_start()
    person.sees(".error-summary", "Dataset “half-done” is UPLOADING, not READY.")
    person.sees(".error-summary", "Wait until it is READY, or pick another one.")
    expect(person.page.locator("#instruction")).to_have_value(sentence)
