"""The facts of a session as the report states them, gathered from its rows. Reads, never acts."""

from __future__ import annotations

import re
from typing import Any

from sessions import compared, queries
from sessions.actions.spending import ZERO
from sessions.bill import reason
from sessions.models import Candidate, Evaluation, Resource, TuningSession, Upload
from sessions.specification import FIELDS, Origin, rate_text, show
from sessions.states import PHASE_LABELS, CandidateState, Decision, GateKind, Phase, ResourceState
from workflows import classification_report, scores
from workflows.decisions import decisions, stamp, who
from workflows.fireworks import names

UPLOADED = re.compile(r"upload:[\w-]+")
FILES = ("dataset", "evaluation_dataset", "evaluator")
KINDS = ("dataset", "job", "model", "evaluator", "deployment")
PARTS = ("train.jsonl", "sample.jsonl", "heldout.jsonl")
PICTURES = {
    "pictures/losses.svg": "Loss curves of all candidates",
    "pictures/scoreboard.svg": "Quality against cost",
}
BILLED = "no cost was told; the bill of your account has it"
UNSETTLED = {"evaluator:registration": "Fireworks states no price for it, and none was told"}
STANDING_COSTS = {
    "dataset": "storage only",
    "model": "nothing while it is not deployed",
    "evaluator": "no price is stated for keeping it",
    "job": "nothing any more",
    "batch": "by the token, if it still runs: a batch job cannot be cancelled",
    "addon": "nothing beside its deployment",
}
ANSWERED = {"batch": "nothing any more"}  # once every answer is in
STILL_RUNNING = "by the token: it was not seen to end, so look at Fireworks and cancel it there"


def gather(session: TuningSession, served: dict[str, Any] | None, calls: dict[str, Any]) -> dict[str, Any]:
    """Everything that the report says, JSON-serialisable. `served` tells of the deployment, if any, and
    `calls` of what was sent to make things."""
    final = session.result
    return {
        "session": session.public_id,
        "title": session.title,
        "verdict": verdict(session, final, served),
        "rehearsal": session.rehearsal,
        "instruction": named(session.instruction),
        "final": about_final(final) if final else None,
        "served": served,
        "failure": about_failure(session),
        "values": values(session),
        "data": about_data(session),
        "candidates": [about_candidate(each) for each in session.candidates.prefetch_related("evaluations")],
        "pictures": [
            {"name": name, "words": PICTURES[name]}
            for name in session.artifacts.filter(name__in=PICTURES).values_list("name", flat=True)
        ],
        "promotion": about_promotion(session),
        "evaluation": session.phases.get(phase=Phase.EVALUATION).note if final else "",
        "costs": costs(session),
        "standing": standing(session),
        "next_steps": next_steps(session, served),
        "phases": phases(session),
        "decisions": decisions(session),
        "evaluations": evaluations(session),
        "scores": scores.gather(session),
        "classification": classification_report.gather(session),
        **calls,
    }


def verdict(session: TuningSession, final: Candidate | None, served: dict[str, Any] | None) -> str:
    """The first sentence of the report."""
    label = PHASE_LABELS[Phase(session.phase)].lower()
    if session.ending == "failed":
        phase = (session.failure or {}).get("phase", label)
        return f"The session failed in {PHASE_LABELS[Phase(phase)].lower()}; what went wrong is below."
    if session.ending == "cancelled":
        return "The session was stopped before its end; what it did until then is below."
    if told := classification_report.verdict(session):
        return told
    where = "it is deployed and answers" if served else "it is trained and not deployed"
    name = names.short(final.base_model) if final else "no model"
    return f"{name} was fine-tuned with LoRA rank {final.lora_rank if final else 0}; {where}." + (
        classification_report.chosen(session)
    )


def about_final(final: Candidate) -> dict[str, Any]:
    rows = final.evaluations.filter(metric="validation_loss").values_list("rows", flat=True).first()
    return {
        "number": final.number,
        "model": final.model,
        "base_model": final.base_model,
        "train_loss": final.train_loss,
        "validation_loss": final.validation_loss,
        "heldout_rows": rows or 0,
    }


def about_failure(session: TuningSession) -> dict[str, Any] | None:
    told = session.failure
    return {**told, "phase_label": PHASE_LABELS[Phase(told["phase"])]} if told else None


def values(session: TuningSession) -> list[dict[str, str]]:
    """Every value of the specification with its origin."""
    rows = []
    for name, entry in session.specification.entries.items():
        words = f": “{named(entry.words)}”" if entry.words and entry.origin.quotes else ""
        rule = f": {entry.words}" if entry.words and entry.origin == Origin.DATA else ""
        shown = file_name(entry.value) if name in FILES else show(name, entry.value)
        rows.append(
            {"label": FIELDS[name].label, "shown": shown, "origin": f"{entry.origin.label}{words}{rule}"}
        )
    return rows


def file_name(value: str) -> str:
    """A dataset as people know it: an upload by the name of its file."""
    upload = Upload.objects.filter(token=value.removeprefix("upload:")).first()
    return f"{upload.filename} (uploaded)" if upload else value


def named(text: str) -> str:
    """A text with uploads by the names of their files."""
    return UPLOADED.sub(lambda found: file_name(found[0]), text)


def about_data(session: TuningSession) -> dict[str, Any] | None:
    found = session.artifacts.filter(name="inspection.json").first()
    if not found:
        return None
    parts = session.artifacts.filter(name__in=PARTS)
    return {
        **found.detail,
        "parts": [
            {
                "name": each.name,
                "rows": each.detail["rows"],
                "tokens": each.detail["tokens"],
                "sha256": each.sha256,
            }
            for each in parts
        ],
    }


def about_candidate(each: Candidate) -> dict[str, Any]:
    return {
        "number": each.number,
        "role": each.role,
        "base_model": each.base_model,
        "model_short": names.short(each.base_model),
        "lora_rank": each.lora_rank,
        "learning_rate": rate_text(each.learning_rate),
        "epochs": each.epochs,
        "beta": each.beta,
        "win_rate": win_rate(each),
        "train_loss": each.train_loss,
        "validation_loss": each.validation_loss,
        "tokens": each.tokens,
        "cost": None if each.cost is None else str(each.cost),
        "state": each.state,
        "job": each.job,
        "model": each.model,
        "failure": each.detail.get("failure"),
    }


def win_rate(candidate: Candidate) -> dict[str, float | None] | None:
    """Against its own base model, with its interval; None where that was not measured."""
    for each in candidate.evaluations.all():
        if each.metric == compared.WIN_RATE and each.rows:
            return {"value": each.value, "low": each.low, "high": each.high}
    return None


def about_promotion(session: TuningSession) -> dict[str, Any] | None:
    gate = session.gates.filter(kind=GateKind.PROMOTION, decision=Decision.APPROVED).last()
    if not gate:
        return None
    answer = {name: value for name, value in gate.answer.items() if name != "candidate"}  # a key of our table
    return {**gate.body, **answer, "by": who(gate), "at": stamp(gate.decided_at)}


def text_or_none(amount: Any) -> str | None:
    return None if amount is None else str(amount)


def costs(session: TuningSession) -> dict[str, Any]:
    """The ledger, with what is settled so far."""
    lines = list(session.ledger.all())
    return {
        "approved": str(queries.approved(session) or ZERO),
        "actual": str(sum((line.actual or ZERO for line in lines), ZERO)),
        "lines": [
            {
                "item": line.item,
                "label": line.label,
                "low": text_or_none(line.low),
                "expected": text_or_none(line.expected),
                "high": text_or_none(line.high),
                "actual": text_or_none(line.actual),
                "gap": reason(line) or UNSETTLED.get(line.item, BILLED),
            }
            for line in lines
        ],
    }


def standing(session: TuningSession) -> list[dict[str, str]]:
    """Remote things of the session that are still there."""
    there = session.resources.filter(state=ResourceState.CREATED)
    deployment = "by the second while a replica is up; scales to zero after five idle minutes"
    running = set(session.candidates.filter(state=CandidateState.ACTIVE).values_list("job", flat=True))
    kept = STANDING_COSTS if session.servings.filter(ended_at=None).exists() else STANDING_COSTS | ANSWERED
    return [
        {
            "kind": each.kind,
            "name": each.name,
            "costs": STILL_RUNNING if each.name in running else kept.get(each.kind, deployment),
        }
        for each in sorted(there, key=place)
    ]


def place(resource: Resource) -> tuple[int, int]:
    """Kind by kind, candidate by candidate: which job ended first is chance and must not show."""
    number = resource.purpose.rsplit("-", 1)[-1]
    kind = KINDS.index(resource.kind) if resource.kind in KINDS else len(KINDS)
    return kind, int(number) if number.isdecimal() else 0


def next_steps(session: TuningSession, served: dict[str, Any] | None) -> list[str]:
    """How to continue."""
    if session.failure:
        return [str(session.failure["next"])]
    if served:
        return [
            "Use the model with the snippet above.",
            "Tear the deployment down on the session's page when you do not need it any more.",
        ]
    return ["Start again with the same values from the session's page."]


def phases(session: TuningSession) -> list[dict[str, str]]:
    """The timeline; the report's own phase is still being worked on when this is written."""
    rows = []
    for each in session.phases.exclude(phase=Phase.REPORT):
        seconds = (
            (each.ended_at - each.started_at).total_seconds() if each.started_at and each.ended_at else None
        )
        took = "" if seconds is None else duration(seconds)
        rows.append(
            {"label": PHASE_LABELS[Phase(each.phase)], "state": each.state, "took": took, "note": each.note}
        )
    return rows


def duration(seconds: float) -> str:
    """`42 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def evaluations(session: TuningSession) -> list[dict[str, Any]]:
    """Every measured number with its source."""
    return [
        {
            "model": each.who,
            "metric": metric_words(each),
            "value": each.value,
            "rows": each.rows,
            "job": each.provenance.get("job")
            or each.provenance.get("evaluator_file")
            or each.provenance.get("judge", ""),
            "file": each.provenance.get(
                "training_file" if each.metric == "train_loss" else "heldout_file", ""
            ),
            "sha256": each.provenance.get(
                "training_sha256" if each.metric == "train_loss" else "heldout_sha256", ""
            ),
            "seed": each.provenance.get("seed", ""),
        }
        for each in session.evaluations.exclude(metric__startswith=compared.WIN_RATE, rows=0)
        .select_related("candidate")
        .order_by("candidate__number", "metric")
    ]


def metric_words(found: Evaluation) -> str:
    """What was measured; of a win rate also against whom."""
    words = found.metric.partition(":")[0].replace("_", " ")
    against = found.provenance.get("baseline")
    return f"{words} against {compared.label(against)}" if against else words
