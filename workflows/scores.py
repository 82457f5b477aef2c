"""What the report says of scores: the evaluator, every model's mean, and where the answers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sessions.models import Artifact, TuningSession
from sessions.states import GateKind
from workflows.markup import plain, table

METRIC = "score"
EVALUATORS = ("outputs/evaluator.json", "evaluator/evaluator.json")  # written by the portal, brought
ANSWERS = "answers.csv"


def gather(session: TuningSession) -> dict[str, Any] | None:
    """JSON-serialisable; None where no evaluator scored."""
    measured = session.evaluations.filter(metric=METRIC).select_related("candidate").order_by("subject")
    evaluator = Artifact.objects.filter(session=session, name__in=EVALUATORS).order_by("-created_at").first()
    if not measured or not evaluator:
        return None
    gate = session.gates.filter(kind=GateKind.PROMOTION).last()
    first = measured[0].provenance
    return {
        "evaluator": evaluator.detail["label"],
        "words": evaluator.detail["words"],
        "file": first.get("evaluator_file", ""),
        "sha256": first.get("evaluator_sha256", ""),
        "prompts_sha256": first.get("prompts_sha256", ""),
        "against_base": (gate.body.get("against_base") or "") if gate else "",
        "answers": ANSWERS,
        "rows": [
            {
                "model": each.who,
                "subject": each.subject,
                "value": each.value,
                "low": each.low,
                "high": each.high,
                "interval": each.provenance.get("interval", ""),
                "rows": each.rows,
                "asked": each.provenance.get("asked", each.rows),
                "unanswered": each.provenance.get("unanswered", 0),
                "failed": each.provenance.get("failed", 0),
                "cut": each.provenance.get("cut", 0),
                "ways": each.provenance.get("ways", {}),
            }
            for each in measured
        ],
    }


def outcome(facts: Mapping[str, Any]) -> list[str]:
    """The final model's mean score beside that of its base model, for the head of the report."""
    told, final = facts.get("scores"), facts.get("final")
    of = {each["subject"]: each for each in told["rows"]} if told and final else {}
    mine = of.get(f"candidate:{final['number']}") if final else None
    if not final or not mine:
        return []
    interval = "" if mine["low"] is None else f" ({mine['low']:.3f} to {mine['high']:.3f})"
    base = of.get(f"base:{final['base_model']}")
    beside = f"; the base model as it is: {base['value']:.3f}" if base else ""
    return [f"- Mean score: {mine['value']:.3f}{interval} on {mine['rows']:,} held-out rows{beside}"]


def section(facts: Mapping[str, Any]) -> list[str]:
    """What the evaluator gave each model, and where all answers are."""
    told = facts.get("scores")
    if not told:
        return []
    rows = (
        [
            plain(each["model"]),
            f"{each['value']:.3f}",
            "none" if each["low"] is None else f"{each['low']:.3f} to {each['high']:.3f}",
            f"{each['rows']:,} of {each['asked']:,}",
            f"{each['unanswered']:,} not answered, {each['failed']:,} not scored",
            f"{each['cut']:,}",
            ", ".join(f"{way.replace('_', ' ')} {count:,}" for way, count in each["ways"].items()),
        ]
        for each in told["rows"]
    )
    lines = [
        "## Scores",
        "",
        f"- Evaluator: {plain(told['evaluator'])}; {plain(told['words'])}",
        f"- Its code: `{told['file']}` `{told['sha256']}`",
        f"- Every answer with its score: `{told['answers']}`; prompts `{told['prompts_sha256'][:12]}`",
    ]
    lines += [f"- {plain(told['against_base'])}"] if told["against_base"] else []
    head = ("Model", "Mean score", "95% interval", "Rows", "Without a score", "Cut", "Answered by")
    return [*lines, "", *table(head, rows)]
