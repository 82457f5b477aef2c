"""The whole way without JavaScript: upload, form, start, approve, promote, read the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.person import People
from tests.system.portal import wait_until

pytestmark = pytest.mark.timeout(600)


def test_from_a_file_to_the_report_without_scripts(people: People, tmp_path: Path) -> None:
    file = tmp_path / "plain.jsonl"
    rows = (
        {
            "messages": [
                {"role": "user", "content": f"Is room {number} open?"},
                {"role": "assistant", "content": f"Yes, room {number} is open."},
            ]
        }
        for number in range(60)
    )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    person = people.come(java_script_enabled=False)
    page = person.page
    page.goto("/new/")
    page.set_input_files("#file", file)
    page.click("button[value=upload]")
    person.sees("#upload", "plain.jsonl")
    page.check("input[name=base_models][value$='/qwen3-0p6b']")
    page.fill("#lora_ranks", "8")
    page.fill("#learning_rates", "1e-4")
    page.fill("#epochs", "1")
    page.click("details.fold summary:has-text('Advanced')")
    page.uncheck("input[name=deploy][type=checkbox]")
    page.click("noscript button[value=write]")
    assert "with learning rate 1e-4 and LoRA rank 8" in page.input_value("#instruction")

    def started() -> bool:
        with page.expect_navigation():  # again while the file is still being read
            person.press_start()
        return "/s/" in page.url

    wait_until(started, 60, "the session to start", lambda: page.inner_text("main"))
    person.reloads_until("#gate-title", "Approve the plan")
    page.click("#gate button[value=approve]")
    person.sees(".page-messages", "Approved.")
    person.reloads_until("#gate-title", "Confirm the winner")
    page.click("#gate button[value=approve]")
    person.reloads_until(".session-ids", "Succeeded")
    page.click("#part-focus a[href$='/report/']")
    person.sees(".report h1", "Final report: qwen3-0p6b on plain.jsonl")
    expect(page.locator(".report img").first).to_be_visible()
