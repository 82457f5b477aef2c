"""Phase 7 of evaluator authoring: the report, with the evaluator in place of a model."""

from __future__ import annotations

import json
from typing import Any

from sessions.models import Artifact
from workflows import facts, report
from workflows.markup import plain
from workflows.outcomes import Finished, Outcome
from workflows.phases.authoring import CODE, FACTS, SCORES, SPECIFICATION
from workflows.phases.report import calls, close_ledger
from workflows.work import Work

NEXT = [
    "Read both files on the session's page, and the scores behind them.",
    "Use the evaluator in a fine-tuning session, or change what counts as right and write it anew.",
]


def step(work: Work) -> Outcome:
    """Write `final_report.md` and `report.json`, for every ending."""
    close_ledger(work)
    found = facts.gather(work.session, None, calls(work))
    written = Artifact.objects.filter(session=work.session, name=FACTS).first()
    found["evaluator"] = written.detail if written else None
    if not work.session.ending and written:
        found |= {"verdict": f"An evaluator was written: it {verdict(written.detail)}.", "next_steps": NEXT}
    work.keep("report.json", "application/json", json.dumps(found, ensure_ascii=False, indent=1))
    work.keep("final_report.md", "text/markdown", report.render(found) + section(found["evaluator"]))
    return Finished("final_report.md is written")


def verdict(about: dict[str, Any]) -> str:
    return f"checks {about['label']}, and {about['words']}"


def section(about: dict[str, Any] | None) -> str:
    """The evaluator's part of the report; empty where none was written."""
    if not about:
        return ""
    lines = [
        "",
        "## Evaluator",
        "",
        f"- What counts as right: “{plain(about['criterion'])}”",
        f"- It {verdict(about)}.",
        *[f"- Not checked: “{plain(each)}”" for each in about["unchecked"]],
        f"- Files: `{CODE}`, `{SPECIFICATION}`; every score is in `{SCORES}`",
    ]
    if about["weaker"]:
        lines.append(
            "- It was tried without walls around network and files, as the operator of this portal allows."
        )
    return "\n".join(lines) + "\n"
