"""What the `session` command prints: sessions and events as text or JSON. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from fwportal import session_readings as readings
from sessions.costs import money
from sessions.models import Event, Gate, Plan, TuningSession
from sessions.specification import FIELDS, Specification, show
from sessions.states import PHASE_LABELS, Decision, GateKind, Phase, ResourceState


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def summary(session: TuningSession) -> dict[str, Any]:
    """One line of a list."""
    return {
        "id": session.public_id,
        "title": session.title,
        "workflow": session.workflow,
        "status": session.status,
        "phase": session.phase,
        "rehearsal": session.rehearsal,
        "created": iso(session.created_at),
        "ended": iso(session.ended_at),
    }


def detail(session: TuningSession) -> dict[str, Any]:
    """A session whole: the facts of its page."""
    gate = session.gates.filter(decision=Decision.OPEN).first()
    there = session.resources.filter(state=ResourceState.CREATED)
    return {
        **summary(session),
        "instruction": session.instruction,
        "not_understood": session.not_understood,
        "specification": session.specification_json,
        "waiting_for": about_gate(gate) if gate else None,
        "proposed_reading": readings.facts(readings.open_card(gate)) if gate else None,
        "failure": session.failure,
        "phases": [
            {"phase": each.phase, "state": each.state, "note": each.note} for each in session.phases.all()
        ],
        "candidates": [about_candidate(each) for each in session.candidates.all()],
        "winner": session.winner.number if session.winner else None,
        "approved_usd": None if session.approved_amount is None else str(session.approved_amount),
        "spent_usd": str(spent(session)),
        "resources": [{"kind": each.kind, "name": each.name} for each in there],
        "artifacts": list(session.artifacts.values_list("name", flat=True)),
    }


def about_gate(gate: Gate) -> dict[str, Any]:
    """What a person must decide, and with which words."""
    words = {
        GateKind.PLAN: ["Approved, proceed.", "Use 3 epochs instead.", "Reject."],
        GateKind.PROMOTION: ["Proceed with the winning config.", "Use candidate 2."],
        GateKind.QUESTIONS: ["Use qwen3-8b."],
    }.get(GateKind(gate.kind), ["Go on.", "Stop."])
    words = [gate.body["hint"]] if "hint" in gate.body else words
    body = {**gate.plan.body, "revision": gate.plan.revision} if gate.plan else gate.body
    return {"kind": gate.kind, "replies": words, "body": body}


def which_revision(plan: Plan) -> str:
    """How to approve a plan that was changed: a person may have read an older one."""
    return (
        f"There are {plan.revision} revisions of the plan. Read the newest with `session get "
        f"{plan.session.public_id}`, and add --revision {plan.revision} to approve that one."
    )


def about_candidate(each: Any) -> dict[str, Any]:
    return {
        "number": each.number,
        "role": each.role,
        "base_model": each.base_model,
        "lora_rank": each.lora_rank,
        "learning_rate": each.learning_rate,
        "epochs": each.epochs,
        "state": each.state,
        "remote_state": each.remote_state,
        "percent": each.percent,
        "train_loss": each.train_loss,
        "validation_loss": each.validation_loss,
        "cost_usd": None if each.cost is None else str(each.cost),
        "job": each.job,
        "model": each.model,
    }


def event_json(event: Event) -> str:
    """An event as one line of JSON."""
    facts = {
        "seq": event.seq,
        "at": iso(event.at),
        "phase": event.phase,
        "kind": event.kind,
        "level": event.level,
        "text": event.text,
    }
    return json.dumps(facts, ensure_ascii=False)


def event_text(event: Event) -> str:
    return f"{event.at:%H:%M:%S}  {PHASE_LABELS[Phase(event.phase)]:<18} {event.text}"


def detail_text(session: TuningSession) -> Iterator[str]:
    """A session in a few lines for a terminal."""
    found = detail(session)
    yield f"{session.public_id}  {session.title}"
    yield f"status   {session.status}, {PHASE_LABELS[Phase(session.phase)].lower()}"
    if session.approved_amount is not None:
        yield f"cost     {money(spent(session))} of {money(session.approved_amount)} approved"
    if session.failure:
        yield f"failure  {session.failure['ours']} {session.failure['next']}"
    gate = found["waiting_for"]
    if gate:
        revision = f", revision {gate['body']['revision']}" if "revision" in gate["body"] else ""
        yield f"waits    for your decision: {gate['kind']}{revision}"
        summary_line = (
            gate["body"].get("summary") or gate["body"].get("certainty") or gate["body"].get("text")
        )
        if summary_line:
            yield f"         {summary_line}"
        for question in gate["body"].get("questions", []):
            yield f"         {question['text']} {question['help']}"
        yield f"         reply with: {' | '.join(gate['replies'])}"
        opened = session.gates.filter(decision=Decision.OPEN).first()
        yield from readings.lines(readings.open_card(opened) if opened else None)
    for each in found["candidates"]:
        loss = "" if each["validation_loss"] is None else f", validation loss {each['validation_loss']:.4f}"
        model = each["base_model"].rsplit("/", 1)[-1]
        yield f"  {each['number']}. {model} rank {each['lora_rank']}: {each['state']}{loss}"


def reading_text(specification: Specification, facts: dict[str, Any]) -> Iterator[str]:
    """How an instruction is understood, in lines for a terminal: every value with where it came from."""
    for name, entry in specification.entries.items():
        words = f", “{entry.words}”" if entry.words else ""
        yield f"{FIELDS[name].label}: {show(name, entry.value)} ({entry.origin.label}{words})"
    for words in facts["not_understood"]:
        known = facts["recognised"].get(words)
        yield f"not understood: “{words}”" + (
            f" (recognised as {known}, which has no place here)" if known else ""
        )
    for name in facts["missing"]:
        yield f"not said yet: {FIELDS[name].label.lower()}"
    yield from facts["conflicts"]
    for error in facts["errors"]:
        yield f"refused: {error['fault']} {error['remedy']}"


def spent(session: TuningSession) -> Decimal:
    """What is settled so far, in USD."""
    return sum((line.actual for line in session.ledger.all() if line.actual is not None), Decimal(0))
