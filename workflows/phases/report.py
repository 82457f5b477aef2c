"""Phase 7: the report, for every ending."""

from __future__ import annotations

import json
from typing import Any

from sessions import answered
from sessions.actions import proposing, spending
from sessions.models import Artifact
from sessions.scoreboard import scoreboard, to_csv
from sessions.states import ResourceState, Status
from workflows import facts, pictures, report, scores, tables, uptime
from workflows.faults import left_as_it_is
from workflows.fireworks import names, sdk
from workflows.fireworks.wire import Exchange
from workflows.outcomes import Finished, Outcome
from workflows.phases import cancelling, deployment
from workflows.phases.preference import telling
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Write `final_report.md`, `report.json`, `scoreboard.csv` and the pictures."""
    failed = work.session.ending == Status.FAILED
    if failed and not left_as_it_is(work.session) and not cancelling.all_stopped(work):
        return cancelling.keep_looking(work, work.phase_age())
    close_ledger(work)
    pictures.for_report(work)
    found = facts.gather(work.session, served(work), calls(work))
    found["preference"] = telling.about(work.session)
    if found["preference"]:
        found["verdict"] = f"{found['verdict']} {telling.verdict(work.session)}".rstrip()
    board = scoreboard(list(work.session.candidates.all()), work.session.evaluations.all())
    work.keep("scoreboard.csv", "text/csv", to_csv(board))
    if found["scores"]:
        work.keep(scores.ANSWERS, "text/csv", "".join(answered.table(work.session)))
    work.keep("curves.csv", "text/csv", tables.curves(work.session.candidates.all()))
    work.keep("report.json", "application/json", json.dumps(found, ensure_ascii=False, indent=1))
    work.keep("final_report.md", "text/markdown", report.render(found))
    return Finished("final_report.md is written")


def close_ledger(work: Work) -> None:
    """Settle what no remote thing settled by itself: what stands by now, and what was never begun."""
    proposing.end_all(work.session, work.now)
    standing = work.resource(uptime.PURPOSE)
    if standing and standing.state == ResourceState.CREATED:
        uptime.settle(standing, work.now, gone=False)
    for line in work.session.ledger.filter(actual=None, reserved=None):
        spending.settle(work.session, line.item, spending.ZERO, "nothing that it pays for was begun")


def served(work: Work) -> dict[str, Any] | None:
    """The deployment as the deployment phase recorded it; None when it was torn down or never made."""
    made = work.resource("deployment")
    artifact = Artifact.objects.filter(session=work.session, name=deployment.PROOF).first()
    return artifact.detail if made and made.state == "created" and artifact else None


def calls(work: Work) -> dict[str, Any]:
    """The calls that made things, in their order: as curl commands and as a program over the SDK."""
    events = list(work.session.events.filter(kind="resource-created"))
    made = [Exchange(**call) for event in events for call in event.data.get("calls", [])]
    local = (str(work.fireworks.base_url), "rehearsal") if work.session.rehearsal else ()
    return {
        "calls": [command for event in events if (command := event.data.get("curl"))],
        "program": sdk.program(made, *local),
        "prefix": f"fwp-{names.slug(work.session.public_id)}-",
    }
