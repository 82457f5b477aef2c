"""Both gates by keyboard and in words: questions, changes, a second tab that is too late."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.person import People, Person

pytestmark = pytest.mark.timeout(600)
SHORT = (
    "Run SFT on dataset support-replies with qwen3-0p6b, learning rate 1e-4, {ranks}, 1 epoch. Do not deploy."
)


def test_from_the_plan_to_the_end_by_keyboard(person: Person) -> None:
    person.page.goto("/new/")
    person.tabs_to("#instruction")
    sentence = SHORT.format(ranks="LoRA rank 8")
    person.page.keyboard.type(sentence)
    person.sees("#marks .marked", "Do not deploy")
    person.tabs_to("button[value=start]")
    person.page.keyboard.press("Enter")
    person.arrives()
    for gate in ("Approve the plan", "Confirm the winner"):
        person.reaches(gate)
        person.tabs_to("#gate button[value=approve]")
        person.page.keyboard.press("Enter")
        person.sees(".page-messages", "Approved.")
    person.ends()
    person.sees("#verdict-title", "The model is trained")
    person.tabs_to("#part-focus a[href$='/report/']")
    person.page.keyboard.press("Enter")
    person.sees(".report h1", "Final report")
    assert person.page.url.endswith("/report/")


def test_a_session_is_led_in_words_and_a_second_tab_is_told(people: People) -> None:
    person = people.come()
    address = person.start(SHORT.format(ranks="LoRA ranks 8 and 16"))
    person.reaches("Approve the plan")
    late = people.come(java_script_enabled=False)  # a tab that does not refresh itself
    late.page.goto(address)

    person.replies("Which base models do you support?")
    person.sees("#gate #outcome", "base models")
    person.sees("#gate #models", "qwen3-8b")
    person.reaches("Approve the plan")

    person.replies("Hm, what about the weather?")
    person.sees("#gate #outcome", "Not understood")
    expect(person.page.locator("#reply")).to_have_value("Hm, what about the weather?")

    person.page.click("#gate-changes summary")
    person.page.fill("#change-reply", "Use LoRA ranks 8 and 32")
    person.page.click("#gate-changes button[value=changes]")
    person.sees(".page-messages", "Your changes are taken.")
    person.reaches("Approve the plan, revision 2")
    person.sees("#gate .facts", "Changed since revision 1")
    person.sees("#gate .facts li", "LoRA ranks")

    late.page.click("#gate button[value=approve]")
    late.sees("#outcome", "Already sent back for changes by owner")
    late.sees("#gate-title", "revision 2")

    late.page.goto(address)
    person.replies("Approved, proceed.")
    person.sees(".page-messages", "Approved.")
    late.page.click("#gate button[value=approve]")
    late.sees("#outcome", "Already approved by owner")

    person.reaches("Confirm the winner")
    late.page.goto(address)
    person.replies("Proceed with the winning config.")
    person.sees(".page-messages", "Approved.")
    late.page.click("#gate button[value=approve]")
    late.sees("#outcome", "Already approved by owner")
    person.ends()
    person.page.goto(f"{address}?tab=plan")
    person.sees("#part-panel", "Plan, revision 2")
    person.sees("#part-panel", "“Proceed with the winning config.”")
