"""A person at the portal in a browser: what they see, and the steps that most journeys share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.system.portal import wait_until

PATIENCE = 90_000  # ms, for an answer of the page; only a failing test waits so long
TRAINING = 240_000  # ms, for jobs on a busy machine
# A form that must be put right comes back as 422, a gate that someone else closed as 409; Chromium reports
# every such answer on the console. A page that is left takes its open requests with it: htmx calls that
# aborted (afterRequest comes with every fault, and each true one has a line of its own besides).
REFUSALS = re.compile(r"status of (409|422)|^htmx:(afterRequest|sendAbort),")


@dataclass
class People:
    """Browser contexts of one portal; leaving tells what went wrong on any of their pages."""

    browser: Browser
    address: str
    all: list[Person] = field(default_factory=list)

    def come(self, **context: Any) -> Person:
        """One more person; `context` takes what Playwright's new_context does."""
        opened = self.browser.new_context(**{"base_url": self.address, **context})
        opened.set_default_timeout(PATIENCE)
        self.all.append(Person(opened, opened.new_page()))
        return self.all[-1]

    def leave(self) -> None:
        faults = [fault for person in self.all for fault in person.faults]
        for person in self.all:
            person.context.close()
        assert not faults, "\n".join(faults)


@dataclass
class Person:
    """One tab, and everything its console complained about."""

    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        known = REFUSALS.search(message.text) or any(part in message.text for part in self.allowed)
        if message.type in {"error", "warning"} and not known:
            self.faults.append(f"{self.page.url}: {message.text}")

    def sees(self, where: str, words: str | re.Pattern[str], *, within: int = PATIENCE) -> None:
        """Waits until an element says something."""
        expect(self.page.locator(where).first).to_contain_text(words, timeout=within)

    # --- starting -----------------------------------------------------------------------------------

    def choose_file(self, path: Path) -> Locator:
        """Pick a file on the form and wait until a worker has read it; the card that tells of it."""
        self.page.set_input_files("#file", path)
        card = self.page.locator("#upload .upload", has_text=path.name)
        expect(card.locator(".upload-report")).to_contain_text("Format:", timeout=PATIENCE)
        return card

    def finds_listed(self, dataset: str, *, ready: bool = True) -> None:
        """Opens the form again until a worker has listed a dataset of the account."""
        wanted = f"input[name=dataset][value='{dataset}']:{'enabled' if ready else 'disabled'}"

        def listed() -> bool:
            self.page.goto("/new/")
            return bool(self.page.locator(wanted).count())

        wait_until(listed, PATIENCE / 1000, f"{dataset} to be listed")

    def choose_model(self, name: str) -> None:
        self.page.check(f"input[name=base_models][value$='/{name}']")

    def write(self, sentence: str) -> None:
        """Type the sentence on the form and wait until it was read."""
        with self.page.expect_response(lambda answer: answer.request.method == "POST"):
            self.page.fill("#instruction", sentence)
        self.sees("#marks .marked", sentence.rstrip(".").split()[-1])

    def press_start(self) -> None:
        self.page.click("#side button[value=start]")

    def start(self, sentence: str) -> str:
        """Start a session from a sentence; its address."""
        self.page.goto("/new/")
        self.write(sentence)
        self.press_start()
        return self.arrives()

    def arrives(self) -> str:
        """On a session's page; its path."""
        self.page.wait_for_url("**/s/**")
        return re.sub(r"^https?://[^/]+|[?#].*$", "", self.page.url)

    # --- at the gates ---------------------------------------------------------------------------------

    def reaches(self, heading: str, *, within: int = TRAINING) -> None:
        """Waits for a gate, without a reload."""
        self.sees("#gate-title", heading, within=within)

    def approves(self) -> None:
        """Press the gate's main button and see that it was taken."""
        self.page.click("#gate button[value=approve]")
        self.sees(".page-messages", "Approved.")

    def replies(self, words: str) -> None:
        self.page.fill("#reply", words)
        self.page.click("#gate .reply button")

    def ends(self, word: str = "Succeeded") -> None:
        self.sees(".session-ids", word, within=TRAINING)

    # --- by keyboard ----------------------------------------------------------------------------------

    def tabs_to(self, fits: str) -> None:
        """Press Tab until the focused element fits; the keyboard alone must reach it."""
        for _press in range(120):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("fits => document.activeElement.matches(fits)", fits):
                return
        raise AssertionError(f"the keyboard does not reach {fits}")

    # --- marks of a page that was never loaded again ----------------------------------------------------

    def marks_the_page(self) -> None:
        self.page.evaluate("window.neverReloaded = true")

    def is_still_on_the_marked_page(self) -> bool:
        return bool(self.page.evaluate("window.neverReloaded === true"))

    # --- without scripts --------------------------------------------------------------------------------

    def reloads_until(self, where: str, words: str, *, seconds: float = TRAINING / 1000) -> None:
        """For a person without scripts: load the page again until it says something."""

        def told() -> bool:
            self.page.reload()
            assert "Failed" not in self.page.inner_text(".session-ids"), self.page.inner_text("main")
            found = self.page.locator(where)
            return bool(found.count()) and words in (found.first.text_content() or "")

        wait_until(told, seconds, f"“{words}” in {where}", lambda: self.page.inner_text("main"))

    def wide_parts(self) -> list[str]:
        """What makes the page scroll sideways; empty when nothing does."""
        found: list[str] = self.page.evaluate(
            """() => {
              if (document.documentElement.scrollWidth <= window.innerWidth) return [];
              const wide = (each) => each.getBoundingClientRect().right > window.innerWidth + 1;
              const parts = [...document.querySelectorAll("main *")].filter(wide).slice(0, 5);
              return ["the page", ...parts.map((each) => `${each.tagName}.${each.className}`)];
            }"""
        )
        return found
