"""kill -9 of the worker, of the web and of Redis, each at three moments of one run: it ends with the report
of a run that nobody disturbed, every job is made once, and an open page has every event once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.system.portal import Portal
from tests.system.run import DATASETS, DEPLOYMENTS, JOBS, PATIENCE, Run, masked, open_page, write_rows

pytestmark = pytest.mark.timeout(900)
BEGUN = ("RUNNING", "WRITING_RESULTS", "COMPLETED")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "colours.jsonl")


@pytest.fixture(scope="module")
def undisturbed(portal: Portal, rows: Path) -> Any:
    """The masked report of a quiet run on the same inputs."""
    run = Run.create(portal, rows)
    run.waits_for("Approve the plan")
    run.reply("Approved, proceed.")
    run.waits_for("Confirm the winner")
    run.reply("Proceed with the winning config.")
    run.ends("succeeded")
    return masked(run.report())


@pytest.mark.parametrize("part", ["worker", "web", "redis"])
def test_a_killed_part_changes_nothing(portal: Portal, rows: Path, undisturbed: Any, part: str) -> None:
    run = Run.create(portal, rows)
    with open_page(run) as page:
        run.waits_for("Approve the plan")
        run.reply("Approved, proceed.")
        run.until_job(1, *BEGUN)
        portal.kill_and_heal(part)
        run.waits_for("Confirm the winner")
        run.reply("Proceed with the winning config.")
        run.until_job(3, *BEGUN)
        portal.kill_and_heal(part)
        portal.until(lambda: run.made(DEPLOYMENTS), PATIENCE, "the deployment")
        portal.kill_and_heal(part)
        events = run.ends("succeeded")
        portal.until(page.over.is_set, PATIENCE, "the page to hear of the end")
    numbers = [event["seq"] for event in events]
    assert numbers == list(range(1, len(numbers) + 1))
    assert page.numbers == numbers
    assert page.breaks or part != "web"
    assert [len(run.made(collection)) for collection in (JOBS, DATASETS, DEPLOYMENTS)] == [3, 3, 1]
    assert masked(run.report()) == undisturbed
