"""What a way costs at the most by the approved plan, and the reservation of what a dearer way needs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sessions.actions import answering
from sessions.models import LedgerLine, Plan, Serving, TuningSession
from sessions.states import Decision
from workflows.answers.settling import item
from workflows.work import Work


def approved_plan(session: TuningSession) -> Plan | None:
    """The plan that a person approved last."""
    gate = session.gates.filter(plan__isnull=False, decision=Decision.APPROVED).last()
    return gate.plan if gate else None


def upper_end(serving: Serving) -> Decimal | None:
    """What the subject's way costs at the most in USD, of a deployment one for an hour; None when no plan
    tells. A subject that the plan does not name, such as the full-data run, counts as the dearest of all."""
    plan = approved_plan(serving.session)
    told = [each for each in (plan.body.get("ways") or () if plan else ()) if concerns(each, serving.prompts)]
    own = [each for each in told if each["subject"] == serving.subject]
    ways = [way for each in own or told for way in each["ways"] if way["way"] == serving.way]
    return max((Decimal(way["high"]) for way in ways if way["high"] is not None), default=None)


def concerns(told: dict[str, Any], prompts: str) -> bool:
    return bool(told.get("prompts", prompts) == prompts)


def why(serving: Serving) -> str:
    """Which ways were refused before, in the provider's words; empty when none was."""
    told = (
        f"{way.replace('_', ' ')} was refused ({words.rstrip('.')})" for way, words in serving.refused.items()
    )
    found = "; ".join(told)
    return f"{serving.subject}: {found}" if found else ""


def cover(work: Work, serving: Serving) -> None:
    """Set aside what the subject's way may cost beyond what was set aside for an earlier one, which was
    billed by the token like this one. Raises ApprovalExceeded."""
    name, most = item(serving.prompts, serving.subject), upper_end(serving)
    line = LedgerLine.objects.get(session=work.session, item=name)
    more = (most or Decimal(0)) - (line.reserved or Decimal(0))
    if more > 0:
        work.keep_lease()
        text = f"Set aside more for {line.label}, which are asked by {serving.way.replace('_', ' ')}"
        answering.reserve_more(work.session, name, more, text, why(serving))
