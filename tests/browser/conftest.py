"""One Chromium and one whole portal for the room; every page that a test opens must stay free of errors."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.person import PATIENCE as FOR_AN_ANSWER
from tests.browser.person import People, Person
from tests.browser.rest import Fireworks
from tests.system.portal import PATIENCE, Portal

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Small jobs, so that the room is quick; datasets are listed soon after they are made.
SMALL = {"FWPORTAL_TOKEN_BUDGET": "6000", "FWPORTAL_REFRESH_SECONDS": "3"}


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread; rows are touched between its calls, never within.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=FOR_AN_ANSWER)  # else five seconds, which a busy machine needs at times
        found = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A running portal in rehearsal, shared by the room."""
    running = Portal(tmp_path_factory.mktemp("browser") / "data", SMALL)
    try:
        running.start()
        running.until(lambda: has_models(running), PATIENCE, "the base models to be listed")
        yield running
    finally:
        running.remove()


def has_models(portal: Portal) -> bool:
    return "qwen3-8b" in httpx.get(f"{portal.address}/models/").text


@pytest.fixture
def people(browser: Browser, portal: Portal) -> Iterator[People]:
    """Makes persons at the shared portal, each with a browser context of their own."""
    made = People(browser, portal.address)
    yield made
    made.leave()


@pytest.fixture
def person(people: People) -> Person:
    return people.come()


@pytest.fixture
def fireworks(portal: Portal) -> Iterator[Fireworks]:
    """Local Fireworks over its REST API, as any other client would ask it."""
    with Fireworks(portal.port + 1) as found:
        yield found
