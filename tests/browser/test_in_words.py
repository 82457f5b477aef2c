"""What was understood is marked, what was not is shown, and a session is led in words up to its plan."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person

pytestmark = pytest.mark.timeout(600)


def test_a_reading_is_marked_and_survives_changes_of_the_form(person: Person) -> None:
    page = person.page
    page.goto("/new/")
    person.write(
        "Run classification on support-replies with qwen3-8b and LoRA rank 24. Labels are: red, dark green. "
        "In rhyme, batch size 8."
    )
    person.sees("#marks .span-understood[title='Labels: red and dark green']", "Labels are: red, dark green")
    person.sees("#marks .span-understood[title^='Dataset']", "support-replies")
    expect(page.locator("#marks .span-lost")).to_have_count(2)
    person.sees("#marks", "Not understood, and left out: “rhyme”, “batch size 8” (batch size)")
    person.sees("#marks .span-fault", "LoRA rank 24")
    person.sees("#marks .field-error", "24")

    page.fill("#epochs", "3")  # what is at fault stays a sentence of its own, and still stops a start
    expect(page.locator("#instruction")).to_have_value(
        "Run classification fine-tuning on accounts/rehearsal/datasets/support-replies across qwen3-8b. "
        "Train each candidate for 3 epochs. Labels are: “red”, “dark green”. LoRA rank 24. rhyme batch size 8"
    )


def test_a_session_is_led_in_words_from_its_questions_to_its_plan(person: Person) -> None:
    page = person.page
    person.start("Run SFT with LoRA rank 8, 1 epoch, and a budget of $5. No deployment.")
    person.reaches("Questions before the plan")
    person.replies("Which base models do you support?")
    person.sees("#gate #models", "qwen3-8b")
    person.replies("Use support-replies.")
    person.sees("#gate #outcome", "Kept: dataset:")
    person.sees("#gate #outcome", "One question is still open.")
    person.reaches("A question before the plan")
    person.replies("qwen3-0p6b and qwen3-8b")

    person.reaches("Approve the plan")
    person.replies("Why so expensive?")
    person.sees("#gate #outcome", "The estimate is")
    expect(page.locator("#reply")).to_have_value("")
    person.replies("drop the smaller one")
    person.reaches("Approve the plan, revision 2")
    person.sees("#gate .facts", "Base models: qwen3-0p6b and qwen3-8b became qwen3-8b.")
    person.replies("What happens next?")
    person.sees("#gate #outcome", "Once you approve, the candidates are trained")
    person.replies("cancel")
    person.sees(".session-ids", "Cancelled")
