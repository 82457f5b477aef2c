"""From one sentence to eight candidates on a sample of a large dataset, six at a time, then all of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import numbers
from tests.browser.person import TRAINING, Person
from tests.browser.rest import ACCOUNT, OVER, Fireworks

pytestmark = pytest.mark.timeout(900)
SENTENCE = (
    f"Run SFT on {ACCOUNT}/datasets/gsm8k across qwen3-8b and qwen3-32b with learning rates 1e-4 and 5e-5, "
    "LoRA ranks 16 and 32, and 3 epochs"
)


def active_jobs(person: Person, fireworks: Fireworks, before: set[str]) -> int:
    """The most jobs that were active at once at local Fireworks until the winner can be confirmed."""
    gate, most = person.page.locator("#gate-title", has_text="Confirm the winner"), 0
    for _second in range(2 * TRAINING // 1000):
        new = [job for job in fireworks.jobs() if job["name"] not in before]
        most = max(most, sum(job["state"] not in OVER for job in new))
        try:
            expect(gate).to_be_visible(timeout=1000)
        except AssertionError:
            continue
        return most
    raise AssertionError(person.page.inner_text("main"))


def test_eight_candidates_from_one_sentence(person: Person, fireworks: Fireworks, shared_data: Path) -> None:
    page = person.page
    fireworks.upload("gsm8k", shared_data / "gsm8k-train.jsonl")
    person.finds_listed(f"{ACCOUNT}/datasets/gsm8k")
    before = {job["name"] for job in fireworks.jobs()}
    page.goto("/new/")
    person.write(SENTENCE)
    person.sees("#side", "7,473")
    person.sees("#side", "8 candidates, then all the data")
    person.press_start()
    address = person.arrives()

    person.reaches("Approve the plan")
    expect(page.locator("#gate-candidates tbody tr")).to_have_count(8)
    assert page.locator("#gate-values tr", has_text="Seed").locator(".value-text").inner_text() == "42"
    page.goto(f"{address}?tab=data")
    figures = page.locator("#part-panel .figures").first.inner_text()
    assert "7,473" in figures
    assert "1,000\nrows for the candidates" in figures
    person.approves()
    assert active_jobs(person, fireworks, before) == 6

    person.approves()
    person.ends()
    jobs = numbers.jobs_of(person, address)
    assert len(jobs) == 9
    rows = [fireworks.get(jobs[number])["rehearsal"]["rowsTotal"] for number in sorted(jobs, key=int)]
    assert rows == [1000] * 8 + [7373]
    shown = numbers.on_the_page(person, address)
    report = page.request.get(f"{address}report.md").text()
    told = numbers.in_the_report(report)
    assert told == numbers.at_fireworks(fireworks, jobs)
    assert {number: losses for number, losses in told.items() if number in shown} == shown
    kept = json.loads(page.request.get(f"{address}files/report.json").text())
    assert [each["role"] for each in kept["candidates"]] == ["sweep"] * 8 + ["final"]
    assert numbers.outcome(report) == told[str(kept["final"]["number"])]
