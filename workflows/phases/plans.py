"""Plans as phases read them."""

from __future__ import annotations

from sessions.actions.spending import NotApproved
from sessions.models import Plan, TuningSession
from sessions.states import Decision, GateKind


def approved(session: TuningSession) -> Plan:
    """The plan that a person approved; raises NotApproved when there is none."""
    plan = Plan.objects.filter(
        session=session, gates__kind=GateKind.PLAN, gates__decision=Decision.APPROVED
    ).last()
    if plan is None:
        raise NotApproved(f"session {session.public_id} has no approved plan")
    return plan


def latest(session: TuningSession) -> Plan | None:
    """The newest revision, approved or not."""
    return Plan.objects.filter(session=session).last()
