"""Every page: no complaint on the console, nothing that scrolls sideways at 360 px, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import People
from tests.system.portal import Portal

pytestmark = pytest.mark.timeout(600)
SENTENCE = (
    "Run SFT on dataset support-replies with qwen3-0p6b and ministral-3-3b-instruct-2512, "
    "learning rate 1e-4, LoRA rank 8, 1 epoch, 30 samples for tuning."
)
PAGES = ("/", "/new/", "/models/", "{waiting}", "{done}", "{done}report/")
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def sessions(browser: Browser, portal: Portal) -> Iterator[dict[str, str]]:
    """Addresses of a session at its plan gate and of a deployed one."""
    people = People(browser, portal.address)
    person = people.come()
    waiting = person.start(SENTENCE)
    person.reaches("Approve the plan")
    done = person.start(SENTENCE)
    person.reaches("Approve the plan")
    person.approves()
    person.reaches("Confirm the winner")
    person.approves()
    person.ends()
    yield {"waiting": waiting, "done": done}
    people.leave()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_narrow_pages_do_not_scroll_sideways(people: People, sessions: dict[str, str], scheme: str) -> None:
    person = people.come(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    wide = {}
    for pattern in PAGES:
        address = pattern.format(**sessions)
        person.page.goto(address)
        if parts := person.wide_parts():
            wide[address] = parts
    assert wide == {}


def test_every_tab_of_a_deployed_session(people: People, sessions: dict[str, str]) -> None:
    person = people.come(viewport={"width": 360, "height": 740})
    page = person.page
    page.goto(sessions["done"])
    found = [each.get_attribute("href") or "" for each in page.locator("#part-tabs a").all()]
    names = [re.findall(r"tab=(\w+)", address)[0] for address in found]
    assert names == [
        "plan", "data", "scoreboard", "training", "evaluation", "deployment", "cost", "events", "report",
    ]  # fmt: skip
    for address in found:
        page.goto(address)
        expect(page.locator("#part-panel section")).to_be_visible()
        assert person.wide_parts() == []
    page.goto(f"{sessions['done']}?tab=deployment")
    person.sees("#part-panel", "A real request as proof")
    page.goto(f"{sessions['done']}?tab=scoreboard")
    expect(page.locator("#part-panel .chart svg")).to_have_count(2)


def test_the_dark_theme_is_dark_and_its_choice_is_kept(people: People, sessions: dict[str, str]) -> None:
    person = people.come(color_scheme="dark")
    page = person.page
    page.goto(sessions["done"])
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    assert max(int(part) for part in re.findall(r"\d+", dark)[:3]) < 40
    page.click("[data-theme-toggle]")
    light = page.evaluate(ground)
    assert min(int(part) for part in re.findall(r"\d+", light)[:3]) > 200
    page.goto("/models/")
    assert page.evaluate(ground) == light


def test_pages_that_are_not_there_lead_on(people: People, sessions: dict[str, str]) -> None:
    person = people.come()
    person.allowed.append("status of 404")
    for address in ("/nowhere/", "/s/nobody00/", f"{sessions['waiting']}report/"):
        answer = person.page.goto(address)
        assert answer is not None
        assert answer.status == 404
        assert person.page.locator("main a").count() > 0
