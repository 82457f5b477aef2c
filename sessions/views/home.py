"""Home: what needs the person first, then what runs, what ended, and what it cost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sessions import costs, queries
from sessions.models import Gate, Resource, TuningSession
from sessions.results import results
from sessions.states import CANDIDATE_OVER, PHASE_LABELS, TERMINAL, Family, GateKind, Phase, Status

RECENT = 12
CALLS = {
    GateKind.QUESTIONS: ("Answer", "A question must be answered before the plan can be made."),
    GateKind.PLAN: ("Review the plan", ""),
    GateKind.PROMOTION: ("Choose the winner", ""),
    GateKind.SPEND: ("Decide", "The approved amount is not enough."),
    GateKind.TROUBLE: ("Look", "The portal could not go on by itself."),
}


@dataclass(frozen=True)
class Need:
    """One thing that waits for a person."""

    family: Family
    session: TuningSession
    text: str
    call: str
    at: datetime | None


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The whole page, or its lists alone for a page that is open; 204 when nothing changed since."""
    shown = lists(request.user, timezone.now())
    if not request.headers.get("HX-Request"):
        return render(request, "home.html", {"page": "home", **shown})
    if request.GET.get("seen") == shown["version"]:
        return HttpResponse(status=204)
    return render(request, "home/lists.html", shown)


def lists(person: AbstractBaseUser | AnonymousUser, now: datetime) -> dict[str, Any]:
    """Everything that Home shows, and a version that changes with it."""
    mine = queries.sessions_of(person)
    running = list(with_progress(mine.filter(status__in=(Status.QUEUED, Status.RUNNING))))
    recent = list(mine.filter(status__in=TERMINAL).select_related("winner").order_by("-ended_at")[:RECENT])
    needs = [
        *map(gate_need, queries.open_gates(person)),
        *map(failure_need, queries.recent_failures(person, now)),
        *map(deployment_need, queries.paid_deployments(person)),
    ]
    return {
        "needs": needs,
        "running": running,
        "recent": results(recent),
        "spend": queries.spend_since(person, now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)),
        "month": now,
        "empty": not (needs or running or recent),
        "version": version([*running, *recent, *(need.session for need in needs)]),
    }


def with_progress(sessions: QuerySet[TuningSession]) -> QuerySet[TuningSession]:
    """Sessions with how many of their candidates there are and how many are over."""
    over = Q(candidates__state__in=CANDIDATE_OVER)
    return sessions.annotate(
        candidate_count=Count("candidates"), candidates_over=Count("candidates", filter=over)
    )


def gate_need(gate: Gate) -> Need:
    call, text = CALLS.get(GateKind(gate.kind), ("Open", ""))
    return Need(Family.NEEDS_YOU, gate.session, gate_text(gate) or text, call, gate.opened_at)


def gate_text(gate: Gate) -> str:
    """What is asked at a gate, in one sentence."""
    if gate.plan:
        estimate = gate.plan.body.get("estimate", {})
        amount = costs.money(gate.plan.cost_high)
        asked = (
            "Approve the plan"
            if gate.plan.revision == 1
            else f"Approve revision {gate.plan.revision} of the plan"
        )
        return f"{asked}: {amount} at the most." if estimate else f"{asked}."
    if gate.kind == GateKind.PROMOTION:
        return f"Confirm the winner: candidate {gate.body.get('suggested', '?')} is suggested."
    questions = gate.body.get("questions") or [{}]
    return str(gate.body.get("text") or questions[0].get("text", ""))


def failure_need(session: TuningSession) -> Need:
    failure = session.failure or {}
    label = PHASE_LABELS.get(Phase(failure["phase"]), "") if failure.get("phase") in set(Phase) else ""
    text = ": ".join(part for part in (label, failure.get("ours", "")) if part)
    return Need(Family.BAD, session, text or "It failed.", "See what happened", session.ended_at)


def deployment_need(deployment: Resource) -> Need:
    name = deployment.name.rsplit("/", 1)[-1]
    text = f"Deployment {name} is up, and costs money while it runs."
    return Need(Family.WORKING, deployment.session, text, "See the deployment", deployment.created_at)


def version(sessions: Iterable[TuningSession]) -> str:
    """Changes whenever something happens in one of these sessions."""
    facts = [(each.public_id, each.event_seq, each.status) for each in sessions]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
