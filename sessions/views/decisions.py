"""Decisions (POST): what a person says at a gate, cancelling, and tearing down a deployment."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sessions import replies
from sessions.actions import gates, spending, uploading
from sessions.models import Gate, Resource
from sessions.replies import Kind
from sessions.views.reading import context, person, session_or_404
from sessions.views.session import show
from sessions.views.uploads import EVALUATOR_FILE, receive

STATUS = {Kind.AGAIN: 422, Kind.CLOSED: 409, Kind.STALE: 409}  # else 200: a question was answered


@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    """Take a button or a typed reply; what decides nothing shows the page again with what was entered."""
    session = session_or_404(request.user, public_id)
    if request.method != "POST":  # the address of a reply that decided nothing, loaded again
        return redirect(session)
    rows = Gate.objects.select_related("session", "plan", "decided_by")
    gate = get_object_or_404(rows, session=session, pk=number)
    form = {name: [str(value) for value in request.POST.getlist(name)] for name in request.POST}
    entered = replies.Entered(gate, person(request), form, timezone.now(), context())
    try:
        form |= uploaded(request)
    except uploading.Refused as fault:
        outcome = entered.again("The file was not taken.", {"evaluator": str(fault)})
    else:
        outcome = replies.act(entered)
    if outcome.kind in {Kind.DECIDED, Kind.NOTED}:
        messages.success(request, outcome.text)
        return redirect(session)
    session.refresh_from_db()
    return show(request, session, outcome, STATUS.get(outcome.kind, 200))


def uploaded(request: HttpRequest) -> dict[str, list[str]]:
    """The answer that came as a file: an evaluator. Raises Refused."""
    if EVALUATOR_FILE not in request.FILES:
        return {}
    return {"evaluator": [receive(request).reference]}


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask once more, then cancel."""
    session = session_or_404(request.user, public_id)
    if request.method != "POST":
        return render(request, "session/cancel.html", {"run": session})
    if gates.cancel(session, person(request), timezone.now()):
        messages.success(request, "Cancelling: nothing more is started, and what runs is stopped.")
    else:
        messages.info(request, "There is nothing left to cancel.")
    return redirect(session)


@require_http_methods(["GET", "HEAD", "POST"])
def tear_down(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    """Ask once more, then have a worker tear down a deployment that this session made."""
    session = session_or_404(request.user, public_id)
    deployment = get_object_or_404(Resource, session=session, kind="deployment", pk=number)
    if request.method != "POST":
        return render(request, "session/tear_down.html", {"run": session, "deployment": deployment})
    if spending.ask_for_deletion(deployment, person(request), timezone.now()):
        messages.success(request, "A worker tears the deployment down now. The trained model stays.")
    else:
        messages.info(request, "This was asked for already.")
    return redirect(session)
