"""Phase 7: the report, for every ending."""

from __future__ import annotations

import json
from typing import Any

from sessions.models import Artifact
from sessions.scoreboard import scoreboard, to_csv
from sessions.states import Status
from workflows import facts, pictures, report, tables
from workflows.faults import left_as_it_is
from workflows.outcomes import Finished, Outcome
from workflows.phases import cancelling, deployment
from workflows.work import Work


def step(work: Work) -> Outcome:
    """Write `final_report.md`, `report.json`, `scoreboard.csv` and the pictures."""
    failed = work.session.ending == Status.FAILED
    if failed and not left_as_it_is(work.session) and not cancelling.all_stopped(work):
        return cancelling.keep_looking(work, work.phase_age())
    pictures.for_report(work)
    found = facts.gather(work.session, served(work), calls(work))
    board = scoreboard(list(work.session.candidates.all()), work.session.evaluations.all())
    work.keep("scoreboard.csv", "text/csv", to_csv(board))
    work.keep("curves.csv", "text/csv", tables.curves(work.session.candidates.all()))
    work.keep("report.json", "application/json", json.dumps(found, ensure_ascii=False, indent=1))
    work.keep("final_report.md", "text/markdown", report.render(found))
    return Finished("final_report.md is written")


def served(work: Work) -> dict[str, Any] | None:
    """The deployment as the deployment phase recorded it; None when it was torn down or never made."""
    made = work.resource("deployment")
    artifact = Artifact.objects.filter(session=work.session, name=deployment.PROOF).first()
    return artifact.detail if made and made.state == "created" and artifact else None


def calls(work: Work) -> list[str]:
    """The creating calls as curl commands, in their order."""
    events = work.session.events.filter(kind="resource-created")
    return [command for event in events if (command := event.data.get("curl"))]
