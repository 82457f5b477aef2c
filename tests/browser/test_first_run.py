"""From a file to the final report: upload, approve, watch, promote, download; the numbers agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import numbers
from tests.browser.person import TRAINING, Person
from tests.browser.rest import Fireworks

pytestmark = pytest.mark.timeout(600)


def own_file(folder: Path) -> Path:
    """100 rows of our own, so that the journey runs where the real data is not."""
    path = folder / "greetings.jsonl"
    rows = (
        {
            "messages": [
                {"role": "user", "content": f"Order {number} of {number % 7} lamps: which box?"},
                {"role": "assistant", "content": f"Box {number % 7} on shelf {number % 5}."},
            ]
        }
        for number in range(100)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(params=["real", "own"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "own":
        return own_file(tmp_path)
    found: Path = request.getfixturevalue("shared_data") / "text2sql.jsonl"
    return found


def test_from_a_file_to_the_final_report(person: Person, fireworks: Fireworks, file: Path) -> None:
    page = person.page
    page.goto("/new/")
    card = person.choose_file(file)
    assert "100 samples" in card.inner_text()
    person.choose_model("qwen3-8b")
    person.sees("#side", "3 candidates")
    person.sees("#side", "100 90 train, 10 held out")
    person.sees("#side .figure-value", "about $")
    person.press_start()
    address = person.arrives()

    person.reaches("Approve the plan")
    person.approves()
    person.marks_the_page()
    expect(page.locator(".step", has_text="Candidate sweep")).to_have_attribute("aria-current", "step")
    expect(page.locator("#part-panel .chart svg")).to_be_visible(timeout=TRAINING)
    expect(page.locator("#part-panel tbody tr", has=page.locator(".job-cell"))).to_have_count(
        3, timeout=TRAINING
    )
    person.reaches("Confirm the winner")
    assert person.is_still_on_the_marked_page()

    suggested = page.locator("#gate .row-marked th").inner_text().split()[0]
    person.sees("#gate .gate-summary", f"Candidate {suggested} is suggested")
    person.approves()
    person.marks_the_page()
    person.ends()
    person.sees("#verdict-title", "The model is deployed")
    assert person.is_still_on_the_marked_page()

    with page.expect_download() as download:
        page.click("#part-focus a[href$='report.md']")
    report = Path(download.value.path()).read_text()
    shown = numbers.on_the_page(person, address)
    jobs = numbers.jobs_of(person, address)
    assert set(shown) == set(jobs) == {"1", "2", "3"}
    assert numbers.in_the_report(report) == shown
    assert numbers.at_fireworks(fireworks, jobs) == shown
    assert numbers.outcome(report) == shown[suggested]
    assert min(shown.values(), key=lambda losses: float(losses[1])) == shown[suggested]
