"""Phase 2: put one plan before a person. What stands in it is its workflow's own, `phases/*/plan.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sessions.actions.planning import add_revision, keep_specification
from sessions.models import Plan
from sessions.specification import FieldError, Specification, differences
from sessions.states import Decision, GateKind
from workflows.outcomes import Ask, Done, Outcome
from workflows.phases import plans, questions
from workflows.work import Work


@dataclass(frozen=True)
class Proposal:
    """What a workflow would run: the resolved specification, and the plan's body (summary, candidates, data,
    estimate, time, risks, skipped phases, what cannot be undone)."""

    specification: Specification
    body: dict[str, Any]


Propose = Callable[[Work], Proposal]


def step_of(propose: Propose) -> Callable[[Work], Outcome]:
    """The planning step of a workflow. `propose` raises FieldError for a value that cannot be run."""

    def step(work: Work) -> Outcome:
        """Done when the newest revision is approved; else the next revision and its gate."""
        gate = work.session.gates.filter(kind=GateKind.PLAN).last()
        if (
            gate
            and gate.plan
            and gate.decision == Decision.APPROVED
            and gate.plan == plans.latest(work.session)
        ):
            return Done(f"revision {gate.plan.revision} approved")
        return asked(work, propose)

    return step


def asked(work: Work, propose: Propose) -> Ask:
    """The next revision and its gate; or what must be answered before there can be one."""
    missing = questions.unanswered(work)
    if missing:
        return missing
    try:
        plan = revision(work, propose(work))
    except FieldError as fault:
        ask = questions.refused(fault)
        assert ask is not None  # noqa: S101  # a refused value is always one question
        return ask
    text = f"Approve the plan (revision {plan.revision}) or ask for changes"
    return Ask(GateKind.PLAN, text, {}, plan)


def revision(work: Work, proposal: Proposal) -> Plan:
    """Keep the proposal as the next revision, with what changed in words."""
    changes = changed(plans.latest(work.session), proposal.specification)
    keep_specification(work.session, proposal.specification)
    return add_revision(work.session, proposal.body, changes)


def changed(before: Plan | None, specification: Specification) -> list[str]:
    """What differs from the revision before, in words."""
    if before is None:
        return []
    return differences(Specification.from_json(before.body["specification"]), specification)
