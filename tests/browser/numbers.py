"""The numbers of a finished session from three sides: its pages, its report, and local Fireworks."""

from __future__ import annotations

import re

from tests.browser.person import Person
from tests.browser.rest import Fireworks

Losses = tuple[str, str]  # training, validation; four digits, as the pages write them


def on_the_page(person: Person, address: str) -> dict[str, Losses]:
    """Losses on the scoreboard by candidate number."""
    person.page.goto(f"{address}?tab=scoreboard")
    found: dict[str, Losses] = {}
    heads = [text.strip() for text in person.page.locator(".scoreboard thead th").all_inner_texts()]
    train, validation = heads.index("Training loss"), heads.index("Validation loss")
    for row in person.page.locator(".scoreboard tbody tr").all():
        cells = [text.split() for text in row.locator("th, td").all_inner_texts()]
        found[cells[0][0]] = (cells[train][0], cells[validation][0])
    return found


def in_the_report(text: str) -> dict[str, Losses]:
    """Losses of the report's table of candidates, the full-data run without its addition."""
    section = text.split("## Candidates\n")[1].split("\n## ")[0]
    lines = [line.strip("|") for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    head = rows[0]
    train, validation = head.index("Training loss"), head.index("Validation loss")
    return {row[0].split()[0]: (row[train], row[validation]) for row in rows[2:]}


def jobs_of(person: Person, address: str) -> dict[str, str]:
    """Full job names by candidate number, as the training tab has them."""
    person.page.goto(f"{address}?tab=training")
    rows = person.page.locator("#part-panel tbody tr", has=person.page.locator(".job-cell")).all()
    return {
        row.locator("th").inner_text().split()[0]: row.locator(".job-cell code").get_attribute("title") or ""
        for row in rows
    }


def at_fireworks(fireworks: Fireworks, jobs: dict[str, str]) -> dict[str, Losses]:
    """The last losses of the same jobs, from their metrics files."""
    found = {number: fireworks.last_losses(job) for number, job in jobs.items()}
    return {number: (last["train/loss"], last["eval/loss"]) for number, last in found.items()}


def outcome(text: str) -> Losses:
    """The final losses in the report's first section."""
    train = re.search(r"Training loss: ([\d.]+)", text)
    validation = re.search(r"Validation loss: ([\d.]+)", text)
    assert train, text
    assert validation, text
    return (train[1], validation[1])
