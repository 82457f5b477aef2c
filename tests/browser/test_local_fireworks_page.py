"""The page of local Fireworks: fits a phone, and its switches work without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.rest import Fireworks
from tests.system.portal import Portal

NOWHERE = "/v1/accounts/rehearsal/nothing-asks-here"


@pytest.fixture
def address(portal: Portal) -> str:
    return f"http://127.0.0.1:{portal.port + 1}/"


@pytest.fixture
def quiet(browser: Browser, address: str) -> Iterator[Page]:
    """A page without JavaScript."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, address: str, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.locator("details summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (shade < 128) == (scheme == "dark")
    context.close()


def test_a_fault_is_switched_on_and_off_by_forms(quiet: Page, fireworks: Fireworks) -> None:
    quiet.get_by_label("What goes wrong").select_option("rate-limited")
    quiet.get_by_label("Path").fill(NOWHERE)
    quiet.locator("details summary").click()
    quiet.get_by_label("retry-after").fill("7")
    quiet.get_by_role("button", name="Switch on").click()
    row = quiet.locator("#faults tr", has_text=NOWHERE)
    expect(row).to_contain_text("retry-after 7")
    answer = fireworks.http.get(NOWHERE.removeprefix("/v1"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    quiet.reload()
    expect(row).to_contain_text("1 of 1")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    assert fireworks.http.get(NOWHERE.removeprefix("/v1")).status_code == 404


def test_a_refused_form_says_why_and_keeps_what_was_typed(quiet: Page) -> None:
    quiet.locator("details summary").click()
    quiet.get_by_label("Path").fill(NOWHERE)
    quiet.get_by_label("Probability").fill("often")
    quiet.get_by_role("button", name="Switch on").click()
    expect(quiet.get_by_role("alert")).to_contain_text("probability")
    expect(quiet.get_by_label("Path")).to_have_value(NOWHERE)
    expect(quiet.get_by_label("Probability")).to_have_value("often")
