"""Questions that are typed at a gate, answered from rows. Nothing here decides or changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sessions import catalogue, queries
from sessions.actions import spending
from sessions.bill import Bill, bill, lines_of_ledger, lines_of_plan
from sessions.costs import money, money_range
from sessions.gatecard import measured
from sessions.instructions import ACCEPTED
from sessions.models import Gate, Plan
from sessions.specification import FIELDS, CandidateConfig, Specification, Workflow, show
from sessions.states import GateKind

LINES, DATASETS = 12, 50
NEXT = {
    GateKind.QUESTIONS: "With the answers the portal reads the data and works out a plan with its cost.",
    GateKind.PLAN: "Once you approve, the candidates are trained and compared; then you confirm the winner.",
    GateKind.PROMOTION: "The winner you confirm goes on: {rest}. Then the report is written.",
    GateKind.SPEND: "Once you approve the new amount, it goes on where it stopped.",
    GateKind.TROUBLE: "“Try again” repeats the step that failed; “cancel” stops what runs and reports.",
}
REGISTRATION = (
    "Once you approve, the evaluator is registered on Fireworks, as the files you can read here. "
    "Then the report is written; nothing is trained."
)
WAITS = "Until you decide, nothing goes on and nothing is spent."
CHANGES = (
    "Use rank 16 instead.", "Drop the 70B model.", "Add qwen3-14b.", "Only 2 candidates.",
    "3 epochs.", "No deployment.", "Keep it under $5.", "Why so expensive?",
)  # fmt: skip
STRATEGIES = (
    "Validation loss: the loss on rows that were kept from training. It needs nothing else.",
    "An evaluator of your own: “Use evaluator accounts/ACCOUNT/evaluators/ID”, or upload one.",
    "A generated evaluator: “Generate an evaluator for me.”",
)


@dataclass(frozen=True)
class Answer:
    """What is told: a sentence, and lines below it."""

    text: str
    lines: tuple[str, ...] = ()


def answer(gate: Gate, topics: tuple[str, ...]) -> Answer:
    """The answers to one or more questions."""
    found = [TOPICS[topic](gate) for topic in topics]
    first, *others = found
    more = (line for each in others for line in (each.text, *each.lines))
    return Answer(first.text, (*first.lines, *more))


def plan_of(gate: Gate) -> dict[str, Any]:
    """The body of the plan at the gate, else of the last one; empty before there is a plan."""
    plan = gate.plan or Plan.objects.filter(session=gate.session).order_by("-revision").first()
    return dict(plan.body) if plan else {}


def models(_gate: Gate) -> Answer:
    """Product row 1.17: the live list, for places that cannot show it as a table."""
    offers = catalogue.offers(queries.base_models().filter(tunable=True), catalogue.rates())
    lines = tuple(
        f"{each.title} ({each.model.short_name}): {each.train_context or 'unknown'} tokens of context, "
        f"{money(each.sft)} per 1M training tokens, {' and '.join(each.methods)}"
        for each in offers
    )
    return Answer(
        "The supported base models are listed below." if lines else "No models are known yet.", lines
    )


def datasets(_gate: Gate) -> Answer:
    rows = queries.datasets()[:DATASETS]
    lines = tuple(f"{row.name}: {row.state}, {row.examples or 'unknown'} rows" for row in rows)
    return Answer("The datasets of the account:" if lines else "The account has no datasets.", lines)


def cost(gate: Gate) -> Answer:
    """The estimate by line, dearest first; once something was approved, also what is spent and left."""
    ledger = list(gate.session.ledger.all())
    lines = lines_of_plan(plan_of(gate)) if gate.kind == GateKind.PLAN else lines_of_ledger(ledger)
    if not lines:
        return Answer("Nothing is priced yet: the plan comes first. So far nothing was spent.")
    whole = bill(lines)
    told = f"The estimate is {money_range(whole.total.low, whole.total.high)}."
    if gate.session.approved_amount is not None:
        spent = whole.total.actual or Decimal(0)
        taken = spending.committed(gate.session)
        reserved = f", {money(taken - spent)} more is reserved" if taken > spent else ""
        left = money(gate.session.approved_amount - taken)
        told += f" {money(spent)} is spent{reserved}; {left} of what you approved is left."
    if gate.kind == GateKind.SPEND:
        told += f" {gate.body.get('text', '')}"
    return Answer(told, tuple(_priced(whole)))


def _priced(whole: Bill) -> Iterator[str]:
    dearest = sorted(whole.lines, key=lambda line: line.expected or Decimal(0), reverse=True)
    for line in dearest[:LINES]:
        how = f" ({line.how})" if line.how else ""
        yield f"{line.label}: {money_range(line.low, line.high)}{how}"
    if len(dearest) > LINES:
        yield f"and {len(dearest) - LINES} smaller ones"


def coming(gate: Gate) -> Answer:
    if gate.kind == GateKind.PLAN and gate.session.value("workflow") == Workflow.AUTHORING:
        return Answer(f"{REGISTRATION} {WAITS}")  # its only plan
    if "next" in gate.body:  # a question of a later phase says it itself
        return Answer(f"{gate.body['next']} {WAITS}")
    retrains = gate.session.value("workflow") != Workflow.PREFERENCE
    full = retrains and gate.session.value("final_run") is not False
    deploy = gate.session.value("deploy") is not False
    steps = ["it is trained on all the data"] * full + ["it is deployed"] * deploy
    rest = " and ".join(steps) or "it is kept as it is"
    return Answer(f"{NEXT[GateKind(gate.kind)].format(rest=rest)} {WAITS}")


def lost(gate: Gate) -> Answer:
    """What of the instruction was not understood, and where it was overruled."""
    words = tuple(f"“{each}”" for each in gate.session.not_understood)
    if not words:
        return Answer(
            "Every word of the instruction was understood."
            if gate.session.instruction
            else "Nothing was typed."
        )
    return Answer("These words were not understood, and left out:", words)


def settings(gate: Gate) -> Answer:
    """Every value with where it came from, and the candidates."""
    body = plan_of(gate)
    resolved = Specification.from_json(body.get("specification") or gate.session.specification_json)
    lines = [
        f"{FIELDS[name].label}: {show(name, entry.value)} ({entry.origin.label})"
        for name, entry in resolved.entries.items()
        if name in FIELDS
    ]
    lines += [
        f"Candidate {each['number']}: {CandidateConfig.from_json(each).label}"
        for each in body.get("candidates", [])
    ]
    return Answer(body.get("summary") or "As far as it is known:", tuple(lines))


def duration(gate: Gate) -> Answer:
    told = plan_of(gate).get("time", {}).get("words")
    return Answer(f"It should take {told}." if told else "That is not known before the plan is made.")


def data(gate: Gate) -> Answer:
    found = plan_of(gate).get("data")
    name = gate.session.value("dataset") or "not chosen yet"
    if not found:
        return Answer(f"The dataset is {name}.")
    used = (
        f"Candidates train on {found['sample_rows']:,} rows, "
        f"the full-data run on {found['train_rows']:,}; {found['heldout_rows']:,} rows are held out."
    )
    told = f"The dataset is {name}: {found['samples']:,} rows, {found['usable']:,} of them usable."
    return Answer(told, (used,))


def winner(gate: Gate) -> Answer:
    """What speaks for the suggested candidate."""
    body = gate.body
    if gate.kind != GateKind.PROMOTION:
        return Answer("No candidate is trained yet, so there is nothing to compare.")
    metric = body.get("metric", "")
    lines = tuple(
        f"Candidate {each['number']}: {measured(metric, each['value'])}" for each in body.get("ranking", [])
    )
    why = f"{body.get('rule', '')} {body.get('certainty', '')}".strip()
    return Answer(f"Candidate {body.get('suggested')} is suggested. {why}", lines)


def trouble(gate: Gate) -> Answer:
    if gate.kind not in {GateKind.TROUBLE, GateKind.SPEND}:
        return Answer("Nothing went wrong: your decision is needed before it goes on.")
    body = gate.body
    theirs = (f"Fireworks said: {body['theirs']}",) if body.get("theirs") else ()
    return Answer(f"{body.get('text', '')} {body.get('next', '')}".strip(), theirs)


def strategies(_gate: Gate) -> Answer:
    return Answer("Candidates can be compared in these ways:", STRATEGIES)


def usage(gate: Gate) -> Answer:
    """What can be written here."""
    more = CHANGES if gate.kind == GateKind.PLAN else ()
    return Answer(ACCEPTED[gate.kind], tuple(f"“{each}”" for each in more))


TOPICS: dict[str, Callable[[Gate], Answer]] = {
    "models": models,
    "datasets": datasets,
    "cost": cost,
    "next": coming,
    "lost": lost,
    "settings": settings,
    "time": duration,
    "data": data,
    "help": usage,
    "winner": winner,
    "trouble": trouble,
    "strategies": strategies,
}
