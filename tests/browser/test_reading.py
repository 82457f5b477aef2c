"""Words that were not understood: offered to a model, read live, taken by a person, wide and narrow."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.rest import ACCOUNT

SENTENCE = (
    f"Run SFT on {ACCOUNT}/datasets/support-replies with qwen3-8b. "
    "Give it ranks sort of sixteen, and I would fancy three epochs."
)


def test_a_reading_is_proposed_while_the_page_is_open_and_taken_by_the_tick(person: Person) -> None:
    page = person.page
    person.finds_listed(f"{ACCOUNT}/datasets/support-replies")
    person.start(SENTENCE)
    person.reaches("Approve the plan")
    offer = page.get_by_role("button", name="propose a reading, at most $0.00")
    expect(offer).to_be_visible()
    assert person.wide_parts() == []
    offer.click()
    person.sees("#gate", "reads your words")
    ticks = page.locator("input[name=take]")
    expect(ticks).to_have_count(2)
    assert [tick.is_checked() for tick in ticks.all()] == [False, False]
    page.set_viewport_size({"width": 360, "height": 800})
    assert person.wide_parts() == []
    page.get_by_label("LoRA ranks: 16").check()
    page.get_by_role("button", name="Take the chosen").click()
    person.reaches("Approve the plan, revision 2")
    rank = page.locator("#gate-values tr", has_text="LoRA ranks")
    expect(rank).to_contain_text("proposed by a model and taken by you")
    expect(page.locator("#gate-values tr", has_text="Epochs")).not_to_contain_text("proposed")
