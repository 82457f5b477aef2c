"""A session on a real portal, from the command line to the report, and two that a person stops."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.portal import Portal
from tests.system.run import (
    DATASETS,
    DEPLOYMENTS,
    JOBS,
    PATIENCE,
    Run,
    by_the_token,
    open_page,
    remote,
    write_rows,
)
from workflows.fireworks.money import Money

pytestmark = pytest.mark.timeout(900)
MICRO = Decimal("0.000001")
PHASES = ("inspection", "planning", "sweep", "training", "evaluation", "deployment", "report")
LONG = "Run SFT with qwen3-8b, LoRA ranks 8 and 16, learning rate 1e-4 and 100 epochs."


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "colours.jsonl")


@pytest.fixture(scope="module")
def run(portal: Portal, rows: Path) -> Run:
    """A session that was approved and promoted by typed replies, and ended; a page was open all the time."""
    begun = Run.create(portal, rows)
    with open_page(begun) as page:
        begun.waits_for("Approve the plan")
        begun.reply("Approved, proceed.")
        begun.waits_for("Confirm the winner")
        begun.reply("Proceed with the winning config.")
        events = begun.ends("succeeded")
        portal.until(page.over.is_set, PATIENCE, "the page to hear of the end")
    assert page.numbers == [event["seq"] for event in events]
    return begun


@pytest.fixture(scope="module")
def report(run: Run) -> dict[str, Any]:
    return run.report()


def test_the_seven_phases_are_done(run: Run) -> None:
    assert [(each["phase"], each["state"]) for each in run.get()["phases"]] == [
        (phase, "done") for phase in PHASES
    ]


def test_events_have_no_gaps(run: Run) -> None:
    numbers = [event["seq"] for event in run.events()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert run.events("--after", "5")[0]["seq"] == 6


def metrics(job: dict[str, Any]) -> list[dict[str, Any]]:
    text = httpx.get(job["metricsFileSignedUrl"]).raise_for_status().text
    return [json.loads(line) for line in text.splitlines()]


def test_losses_and_costs_are_those_of_local_fireworks(run: Run, report: dict[str, Any]) -> None:
    jobs = {job["name"]: job for job in run.made(JOBS)}
    assert len(jobs) == len(report["candidates"]) == 3
    for each in report["candidates"]:
        job = jobs.pop(each["job"])
        lines = metrics(job)
        assert each["train_loss"] == [line["train/loss"] for line in lines if "train/loss" in line][-1]
        assert each["validation_loss"] == [line["eval/loss"] for line in lines if "eval/loss" in line][-1]
        assert each["tokens"] == job["jobProgress"]["inputTokens"] > 0
        cost = Money.from_api(job["estimatedCost"])
        assert cost is not None
        assert Decimal(each["cost"]) == cost.amount.quantize(MICRO)
        assert job["state"] == "JOB_STATE_COMPLETED"
    assert not jobs
    settled = sum(Decimal(each["cost"]) for each in report["candidates"])
    assert Decimal(by_the_token(report["costs"])["actual"]) == settled
    (hour,) = [each for each in report["costs"]["lines"] if each["item"] == "deployment:first-hour"]
    assert 0 < Decimal(hour["actual"]) < Decimal(hour["high"])


def test_everything_was_made_once(run: Run) -> None:
    assert len(run.made(JOBS)) == 3
    assert len(run.made(DATASETS)) == 3
    assert [each["state"] for each in run.made(DEPLOYMENTS)] == ["READY"]


def test_the_deployment_answers(run: Run, report: dict[str, Any]) -> None:
    served = report["served"]
    body = {"model": served["deployment"], "max_tokens": 8, "temperature": 0}
    question = {"role": "user", "content": served["proof"]["question"]}
    answer = httpx.post(
        served["endpoint"],
        json={**body, "messages": [question]},
        headers={"Authorization": "Bearer any"},
        timeout=60,
    )
    assert answer.raise_for_status().json()["usage"]["completion_tokens"] > 0
    assert served["model"] == report["final"]["model"]


def test_the_report_is_the_same_over_http_and_on_the_command_line(run: Run) -> None:
    over_http = httpx.get(f"{run.portal.address}/s/{run.id}/report.md").raise_for_status().text
    assert over_http == run.portal.manage("session", "report", run.id)
    assert over_http.startswith("# Final report:")
    assert httpx.get(f"{run.portal.address}/s/{run.id}/report/").status_code == 200


def test_cancelling_during_the_sweep_stops_the_jobs(portal: Portal, rows: Path) -> None:
    run = Run.create(portal, rows, LONG)
    run.waits_for("Approve the plan")
    run.reply("Approved, proceed.")
    run.until_job(1, "RUNNING")
    portal.manage("session", "cancel", run.id)
    run.ends("cancelled")
    assert {job["state"] for job in run.made(JOBS)} == {"JOB_STATE_CANCELLED"}
    assert not run.made(DEPLOYMENTS)
    assert run.report()["verdict"].startswith("The session was stopped")


def test_a_rejected_plan_spends_nothing(portal: Portal, rows: Path) -> None:
    before = {collection: len(remote(portal, collection)) for collection in (JOBS, DATASETS, DEPLOYMENTS)}
    run = Run.create(portal, rows)
    run.waits_for("Approve the plan")
    run.reply("Reject.")
    run.ends("cancelled")
    assert {name: len(remote(portal, name)) for name in before} == before
    assert run.report()["costs"] == {"approved": "0", "actual": "0", "lines": []}
