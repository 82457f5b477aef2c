"""What the report says of preference learning: how pairs came about, who judged, every comparison, the
target."""

from __future__ import annotations

import json
from typing import Any

from sessions.compared import WIN_RATE, label
from sessions.models import Evaluation, Plan, TuningSession
from sessions.specification import Workflow, show
from workflows.metrics import words
from workflows.phases.preference import comparison, leading, making, measuring


def about(session: TuningSession) -> dict[str, Any] | None:
    """The facts, JSON-serialisable; None for other workflows and before there is a plan."""
    plan = Plan.objects.filter(session=session).last()
    if session.workflow != Workflow.PREFERENCE or plan is None:
        return None
    made = session.artifacts.filter(name=making.SUMMARY).first()
    return {
        "method": session.value("method"),
        "judge": plan.body.get("judge") or {},
        "lint": plan.body["data"]["lint"],
        "made": {**json.loads(made.path.read_bytes()), "sha256": hashes(session)} if made else None,
        "comparisons": comparisons(session),
        "target": target(session),
    }


def verdict(session: TuningSession) -> str:
    """Whether the chosen model answers better than its base model, in a sentence; empty where that was not
    measured."""
    found = measuring.number(session, session.winner, WIN_RATE) if session.winner else None
    if found is None:
        return ""
    known = leading.estimate(found)
    shown = f"win rate {words.interval(known, is_share=True)}"
    if known.holds(0.5):
        return f"Whether its answers are better than those of its base model is not clear: {shown}."
    which = "Its answers were preferred to" if known.value > 0.5 else "Its answers lost to"
    return f"{which} those of its base model: {shown}."


def hashes(session: TuningSession) -> dict[str, str]:
    """Of the files of made pairs."""
    files = session.artifacts.filter(name__in=(making.PAIRS, making.PROVENANCE))
    return {each.name: each.sha256 for each in files}


def comparisons(session: TuningSession) -> list[dict[str, Any]]:
    """Every pair of subjects that was compared."""
    found = Evaluation.objects.filter(session=session, metric__startswith=WIN_RATE).order_by("pk")
    return [
        {
            **each.provenance,
            "subject": each.who,
            "baseline": label(str(each.provenance["baseline"])),
            "value": each.value,
            "low": each.low,
            "high": each.high,
            "rows": each.rows,
        }
        for each in found
    ]


def target(session: TuningSession) -> dict[str, Any] | None:
    """The target with its word, of the model that was chosen; None without either."""
    if session.winner is None or not session.value("target"):
        return None
    told = comparison.target(session, session.winner) or {}
    return {"said": show("target", session.value("target")), **told}
