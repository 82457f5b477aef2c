"""Every line of the ledger ends with an amount or says why it has none (product rows 1.16 and 2.11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fwportal.middleware import owner
from sessions.actions import gates, spending
from sessions.costs.rates import Rates
from sessions.models import LedgerLine, Resource
from sessions.states import Status
from tests.factories import make_session
from tests.integration.workflows.house import report
from workflows import uptime
from workflows.fireworks.deployments import Deployment

NOW = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
NAME = "accounts/rehearsal/deployments/fwp-1"
UP = Deployment(NAME, "READY", accelerator_type="NVIDIA_H100_80GB", accelerator_count=2)


@pytest.fixture
def resource(db):
    """A deployment that was made and nothing more."""
    session = make_session()
    LedgerLine.objects.create(
        session=session, item=uptime.ITEM, label="First hour", group="Deployment", phase="deployment"
    )
    made = Resource.objects.create(
        session=session, kind="deployment", purpose=uptime.PURPOSE, name=NAME, intended_at=NOW
    )
    spending.created(made, NOW)
    return made


def settled(resource, seconds, *, gone):
    uptime.settle(resource, NOW + timedelta(seconds=seconds), gone=gone)
    return LedgerLine.objects.get(session=resource.session, item=uptime.ITEM)


def hourly():
    rate = Rates.load().gpu_hour("NVIDIA_H100_80GB", NOW.date())
    assert rate
    return 2 * rate


@pytest.mark.parametrize(("gone", "words"), [(False, "so far: up for 1 min 30 s"), (True, "then deleted")])
def test_a_replica_is_paid_by_the_second_from_when_it_was_seen_up(resource, gone, words):
    uptime.seen_up(resource.session, UP, NOW)
    uptime.seen_up(resource.session, UP, NOW + timedelta(seconds=60))  # a second look changes nothing
    line = settled(resource, 90, gone=gone)
    assert line.actual == (hourly() * 90 / 3600).quantize(Decimal("0.000001"))
    assert words in line.gap
    assert "2 × NVIDIA_H100_80GB" in line.gap


def test_after_five_idle_minutes_only_the_least_is_known(resource):
    uptime.seen_up(resource.session, UP, NOW)
    line = settled(resource, 7200, gone=True)
    assert line.actual == (hourly() / 12).quantize(Decimal("0.000001"))
    assert line.gap.startswith("at least")


def test_a_start_is_not_paid(resource):
    line = settled(resource, 600, gone=True)
    assert (line.actual, line.gap) == (0, "no replica came up, and a start is not billed")


def test_without_a_rate_the_line_stays_open(resource):
    uptime.seen_up(resource.session, Deployment(NAME, "READY", accelerator_type="TPU_V9"), NOW)
    assert settled(resource, 90, gone=True).actual is None


def test_an_early_end_settles_what_was_never_begun(house):
    session = house.approved(lora_ranks=(8, 16))
    assert gates.cancel(session, owner(), house.clock())
    house.drive(session)
    assert session.status == Status.CANCELLED
    lines = report(session)["costs"]["lines"]
    assert len(lines) > 3
    assert {Decimal(line["actual"]) for line in lines} == {0}
    assert {line["gap"] for line in lines} == {"as estimated", "nothing that it pays for was begun"}


def test_a_whole_run_leaves_no_line_without_amount_and_reason(house):
    session = house.finished(rows=30)
    lines = {line["item"]: line for line in report(session)["costs"]["lines"]}
    assert all(line["actual"] is not None and line["gap"] for line in lines.values())
    assert lines["inference"]["gap"] == "as estimated"
    assert "so far: up for" in lines[uptime.ITEM]["gap"]
