"""Uploads: taking a file in, and the card that shows what a worker found in it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from sessions import inspected, queries
from sessions.actions import uploading
from sessions.models import Upload

DATA_FILE, EVALUATOR_FILE = "file", "evaluator_file"  # names of the two inputs


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take one file in. The answer to a page is its card; without JavaScript the form opens with it."""
    in_page, scoring = bool(request.headers.get("HX-Request")), EVALUATOR_FILE in request.FILES
    region = "uploads/evaluator.html" if scoring else "uploads/region.html"
    try:
        found = receive(request)
    except uploading.Refused as fault:
        if in_page:
            return render(request, region, {"upload_fault": str(fault)})
        messages.add_message(request, messages.ERROR, str(fault), extra_tags="bad")
        return redirect("new-session")
    if in_page and scoring:
        return render(request, region, {"evaluator_upload": found})
    if in_page:
        return render(request, region, shown(found) | {"chosen": found.reference})
    field = "evaluator" if scoring else "dataset"
    return redirect(f"{reverse('new-session')}?{field}={found.reference}")


def receive(request: HttpRequest) -> Upload:
    """The file of the request, stored: an evaluator or data. Raises Refused with what to do about it."""
    if not request.user.is_authenticated:
        raise uploading.Refused("Sign in first.")
    if evaluator := request.FILES.get(EVALUATOR_FILE):
        return uploading.receive(request.user, evaluator, uploading.EVALUATOR)
    file = request.FILES.get(DATA_FILE)
    if file is None:
        raise uploading.Refused("No file came with the form. Choose a file first.")
    return uploading.receive(request.user, file, uploading.data(settings.MAX_UPLOAD))


@require_safe
def card(request: HttpRequest, token: str) -> HttpResponse:
    """What is known of an upload; a page asks again until the file was read."""
    found = queries.upload_or_404(request.user, token)
    if found.is_evaluator:
        return evaluator_card(request, found)
    if not request.headers.get("HX-Request"):
        return render(request, "uploads/page.html", {"page": "new", **shown(found)})
    response = render(request, "uploads/report.html", shown(found))
    if found.inspection is not None:
        response.headers["HX-Trigger-After-Swap"] = "upload-read"
    return response


def evaluator_card(request: HttpRequest, found: Upload) -> HttpResponse:
    """What a worker found in an uploaded evaluator; the card of the form, also on its own."""
    response = render(request, "uploads/evaluator_report.html", {"evaluator_upload": found})
    if found.inspection is not None:
        response.headers["HX-Trigger-After-Swap"] = "upload-read"
    return response


def shown(upload: Upload) -> dict[str, object]:
    return {"upload": upload, "report": inspected.report(upload)}


@require_safe
def problems(request: HttpRequest, token: str) -> StreamingHttpResponse:
    """Every problem of an upload as CSV."""
    found = queries.upload_or_404(request.user, token)
    report = inspected.report(found)
    lines = report.problems if report else ()
    response = StreamingHttpResponse(inspected.table(lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="problems.csv"'
    return response
