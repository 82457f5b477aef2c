"""An open events tab over a lost network, a killed web and a reload: every line once, none missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cable import Cable
from tests.browser.person import PATIENCE, TRAINING, People
from tests.system.portal import Portal

pytestmark = pytest.mark.timeout(600)
SENTENCE = (
    "Run SFT on dataset ticket-labels with qwen3-0p6b, learning rate 1e-4, LoRA ranks 8 and 16, 3 epochs. "
    "Do not deploy."
)
# The last two are htmx, which logs what it could not fetch and the event of a stream that broke.
BROKEN = [
    "ERR_CONNECTION_",
    "ERR_INCOMPLETE_CHUNKED",
    "ERR_EMPTY_RESPONSE",
    "ERR_SOCKET",
    "ERR_NETWORK",
    "[object Event]",
    "htmx:",
]


def lines(page: Page) -> list[int]:
    """The numbers of the events on the page, newest first."""
    rows = "rows => rows.map(each => +each.dataset.seq)"
    found: list[int] = page.eval_on_selector_all("#events [data-seq]", rows)
    return found


def has_line(page: Page, number: int) -> None:
    expect(page.locator(f"#event-{number}")).to_be_attached(timeout=TRAINING)


def whole(count: int) -> list[int]:
    return list(range(count, 0, -1))


@pytest.fixture
def cable(portal: Portal) -> Iterator[Cable]:
    made = Cable(portal.port)
    yield made
    made.remove()


def test_no_line_is_lost_or_doubled(people: People, portal: Portal, cable: Cable) -> None:
    watcher, owner = people.come(base_url=cable.address), people.come()
    watcher.allowed += BROKEN
    owner.allowed += BROKEN
    address = owner.start(SENTENCE)
    owner.reaches("Approve the plan")
    page = watcher.page
    page.goto(f"{address}?tab=events")
    expect(page.locator("[data-live]")).to_have_text("Live")

    cable.cut()
    before = lines(page)[0]
    owner.approves()
    owner.page.goto(f"{address}?tab=events")
    has_line(owner.page, before + 3)
    expect(page.locator("[data-live-lost]")).to_be_visible(timeout=PATIENCE)
    assert lines(page)[0] == before
    cable.mend()
    has_line(page, before + 3)

    killed = portal.kill("web")
    portal.until(lambda: portal.pid("web") not in (None, killed), 30, "a new web")
    portal.until(portal.is_well, 60, "the portal to be well again")
    watcher.reaches("Confirm the winner")
    expect(page.locator("[data-live-lost]")).to_be_hidden(timeout=PATIENCE)
    newest = lines(page)[0]
    assert lines(page) == whole(newest)

    page.reload()
    expect(page.locator("[data-live]")).to_have_text("Live")
    owner.page.goto(address)
    owner.approves()
    watcher.ends()
    watcher.sees("#events", "Session succeeded")
    shown = lines(page)
    assert shown[0] > newest
    assert shown == whole(shown[0])
    page.reload()
    assert lines(page) == shown
