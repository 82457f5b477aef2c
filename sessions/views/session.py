"""The session page, whole and in parts. A page and its live fragment are the same partial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions import catalogue, replies, sources
from sessions.actions import proposing
from sessions.board import Facts, header, timeline
from sessions.gatecard import gate_card
from sessions.models import Gate, TuningSession
from sessions.numbers import row_number
from sessions.proposals.card import card
from sessions.proposals.offers import of_instruction, of_reply
from sessions.specification import show as show_value
from sessions.states import PHASE_LABELS, GateKind
from sessions.views import panels, preference
from sessions.views.reading import LATEST_SHOWN, context, events_after, facts, newest_events, session_or_404

PARTS = {
    "header": "session/_header.html",
    "timeline": "session/_timeline.html",
    "focus": "session/_focus.html",
    "tabs": "session/_tabs.html",
    "panel": "session/_panel.html",
    "lines": "session/_lines.html",
}
LINES_AT_ONCE = 500
WHOSE = {
    "data": "the data",
    "configuration": "the configuration of this run",
    "quota": "a quota of the account",
    "platform": "Fireworks or the portal, not yours",
}


@require_safe
def page(request: HttpRequest, public_id: str) -> HttpResponse:
    """The whole truth about one session."""
    return show(request, session_or_404(request.user, public_id))


@require_safe
def part(request: HttpRequest, public_id: str, name: str) -> HttpResponse:
    """One fragment of the page, for the live refresh."""
    if name not in PARTS:
        raise Http404(f"The page has no part {name}.")
    session = session_or_404(request.user, public_id)
    response = render(request, PARTS[name], whole(request, session, part=name))
    response.headers["Cache-Control"] = "no-store"
    return response


def show(
    request: HttpRequest, session: TuningSession, outcome: replies.Outcome | None = None, status: int = 200
) -> HttpResponse:
    """The page, with what came of a reply that decided nothing."""
    return render(request, "session/page.html", whole(request, session, outcome=outcome), status=status)


def whole(
    request: HttpRequest, session: TuningSession, *, outcome: replies.Outcome | None = None, part: str = ""
) -> dict[str, Any]:
    """The context of the page; a part leaves out what it does not show."""
    asked = request.GET.get("tab", "")
    found = facts(session, curves=asked in {"", "training", "scoreboard"} and part in {"", "panel"})
    shown: dict[str, Any] = {
        "run": session,
        "facts": found,
        "header": header(found),
        "steps": timeline(found),
        "live": not session.is_over,
        "workflow": show_value("workflow", session.workflow),
        "outcome": outcome,
    }
    if part == "lines":
        return shown | {"events": lines(request, session)}
    if part in {"", "tabs", "panel"}:
        shown |= panels.panel(request, found, with_content=part != "tabs")
        kept = {"tab": shown["tab"], "sort": request.GET.get("sort", "")}
        shown["query"] = urlencode({name: value for name, value in kept.items() if value})
    if part in {"", "focus"}:
        shown |= focus(found, outcome)
    if not part and shown["tab"] != "events":
        shown["latest"] = newest_events(session, LATEST_SHOWN)
    return shown | {"after": after(session, shown)}


def after(session: TuningSession, context: Mapping[str, Any]) -> int:
    """The last event that the page shows: the stream goes on from there."""
    shown = [] if context.get("before") else context.get("latest") or context.get("events") or []
    return max([event.seq for event in shown], default=session.event_seq)


def focus(found: Facts, outcome: replies.Outcome | None) -> Mapping[str, Any]:
    """The card that matters most now: the gate, the failure, or the result."""
    gate = found.open_gate
    typed = outcome.typed if outcome and outcome.kind != replies.Kind.DECIDED else None
    spec = found.session.specification
    names = sources.upload_names(spec.values().values()) if gate else {}
    return {
        "gate": gate_card(gate, found.candidates, spec, typed, names) if gate else None,
        "catalogue": catalogue.load(found.now) if outcome and outcome.kind == replies.Kind.MODELS else None,
        "verdict": panels.verdict(found) if found.session.is_over else None,
        "failure": failure(found.session.failure) if found.session.failure else None,
        **(preference.shown(found.session) if gate and gate.kind == GateKind.PROMOTION else {}),
        **(preference.of_gate(found.session, gate) if gate else {}),
        "gate_board": panels.scores(found) if gate and gate.kind == GateKind.PROMOTION else None,
        "coming": coming(found, gate) if gate and gate.kind == GateKind.PROMOTION else "",
        **(readings(gate, outcome) if gate and gate.kind in proposing.GATES else {}),
    }


def readings(gate: Gate, outcome: replies.Outcome | None) -> dict[str, Any]:
    """A reading that a model proposes, or the offer of one, for what was not understood."""
    known = context()
    ticked = outcome.typed.form.get("take", []) if outcome else []
    heard = outcome.heard if outcome else None
    return {
        "reading": card(gate, replies.planned(gate), known, ticked),
        "offer": of_instruction(gate, known),
        "reply_offer": of_reply(gate, heard, known) if heard else None,
    }


def coming(found: Facts, gate: Gate) -> str:
    """What happens once the winner is confirmed, as it was approved."""
    skipped = (found.plan or {}).get("skipped") or {}
    if gate.body.get("comparisons") or gate.body.get("word"):
        deeds = ["kept"]
    else:
        deeds = ["measured"] if "training" in skipped else ["trained on all the data", "measured"]
    deploys = "deployment" not in skipped and found.session.value("deploy") is not False
    *first, last = [*deeds, "deployed"] if deploys else deeds
    who = "The winner's configuration" if len(deeds) > 1 else "The winner"
    done = f"{', '.join(first)} and {last}" if first else last
    return f"{who} is {done}{', within what you approved' if deploys else '; nothing is deployed'}."


def failure(found: dict[str, Any]) -> dict[str, str]:
    """Where it failed, and whose fault it looks like, in words."""
    phase = found.get("phase", "")
    return {
        "phase": PHASE_LABELS.get(phase, phase),
        "whose": WHOSE.get(found.get("whose", ""), "unknown: neither side has said"),
    }


def lines(request: HttpRequest, session: TuningSession) -> list[Any]:
    """Events after a number, newest first, for a page whose stream is down."""
    after = row_number(request.GET.get("after"))
    if after is None:
        return newest_events(session, LATEST_SHOWN)
    return events_after(session, after, LINES_AT_ONCE)[::-1]
