"""Why something that was understood cannot be done at a gate, in words for the person; empty when it can."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_UP, Decimal

from sessions.actions import spending
from sessions.bill import bill, lines_of_plan
from sessions.costs import money
from sessions.models import Gate, TuningSession
from sessions.specification import FIELDS, Entry, out_of_place, show, with_changes
from sessions.states import GateKind

CENT = Decimal("0.01")
ALL_THE_SAME = "Approved, also what is not calculated."  # a phrase of plan.grammar
FIXED = ("workflow", "dataset", "evaluation_dataset")  # what the first phase already worked with


def to_values(session: TuningSession, entries: Mapping[str, Entry]) -> str:
    """What speaks against taking these values into the session."""
    return of_another_session(session, entries) or misplaced(session, entries)


def of_another_session(session: TuningSession, entries: Mapping[str, Entry]) -> str:
    """What to say of a change to the data once it was read; empty when there is none."""
    changed = [name for name in FIXED if name in entries and entries[name].value != session.value(name)]
    if not changed or not session.artifacts.filter(name="inspection.json").exists():
        return ""
    label = FIELDS[changed[0]].label
    return f"{label} cannot be changed any more: the data was read already. Start a new session for that."


def misplaced(session: TuningSession, entries: Mapping[str, Entry]) -> str:
    """What the session's workflow has no use for, in words; empty when all of it has."""
    changed = with_changes(session.specification, entries)
    return " ".join(str(fault) for fault in out_of_place(changed) if fault.field in entries)


def beyond_budget(gate: Gate) -> str:
    """What to say when more may be spent than the budget that the person set; empty when it may not."""
    budget, high = gate.session.value("budget"), _at_most(gate)
    if not budget or high is None or high <= Decimal(budget):
        return ""
    enough, limit = money(high.quantize(CENT, ROUND_UP)), show("budget", budget)
    if gate.kind == GateKind.SPEND:
        return (
            f"With this up to {enough} may be spent in all, and you set a budget of {limit}. "
            f"Write “the budget is {enough}” first, or “reject”."
        )
    return (
        f"This plan may cost up to {enough}, and you set a budget of {limit}. "
        f"Make it smaller, for example “only 1 candidate”, or write “the budget is {enough}”."
    )


def _at_most(gate: Gate) -> Decimal | None:
    """What may be spent in all once the gate is approved, in USD; None where it approves no money."""
    if gate.kind == GateKind.SPEND:
        return Decimal(gate.body["amount"])
    high: Decimal | None = gate.plan.cost_high if gate.plan else None
    return None if high is None else high + spending.committed(gate.session)


def not_calculated(gate: Gate) -> str:
    """What to say when a budget is set and lines of the plan have no price: it may be passed unseen."""
    unpriced = bill(lines_of_plan(gate.plan.body)).unpriced if gate.plan else []
    budget = gate.session.value("budget")
    if not budget or not unpriced:
        return ""
    names = ", ".join(line.label for line in unpriced)
    return (
        f"You set a budget of {show('budget', budget)}, and what these cost is not calculated: {names}. "
        f"The budget cannot hold for them. To go on all the same, write “{ALL_THE_SAME}”."
    )
