"""Files of a session: artifacts by their name, the scoreboard as CSV, the report. Never by a path."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions.models import Artifact, TuningSession
from sessions.scoreboard import scoreboard, to_csv
from sessions.views.markdown import rendered
from sessions.views.panels import DOWNLOADS, read_text
from sessions.views.reading import session_or_404

REPORT = "final_report.md"
SAFE_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".jsonl": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
}
INLINE = {".svg", ".png"}
# A picture that is opened on its own can run nothing and reach nothing.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@require_safe
def artifact(request: HttpRequest, public_id: str, name: str) -> HttpResponseBase:
    """One file of the workspace, by the name of its row."""
    return sent(session_or_404(request.user, public_id), name)


def sent(session: TuningSession, name: str) -> HttpResponseBase:
    row = Artifact.objects.filter(session=session, name=name).first()
    if row is None:
        raise Http404(f"This session has no file {name}.")
    suffix = PurePosixPath(row.name).suffix
    try:
        file = row.path.open("rb")
    except FileNotFoundError as error:
        raise Http404(f"{name} is recorded, but not on the disk any more.") from error
    response = FileResponse(
        file,
        as_attachment=suffix not in INLINE,
        filename=f"{session.public_id}-{PurePosixPath(row.name).name}",
        content_type=SAFE_TYPES.get(suffix, "application/octet-stream"),
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@require_safe
def scoreboard_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    """The scoreboard as it stands now."""
    session = session_or_404(request.user, public_id)
    board = scoreboard(
        list(session.candidates.defer("curve")), session.evaluations.all(), winner_id=session.winner_id
    )
    response = HttpResponse(to_csv(board), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{public_id}-scoreboard.csv"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def report(request: HttpRequest, public_id: str) -> HttpResponse:
    """The report as a page, with its pictures and its downloads."""
    session = session_or_404(request.user, public_id)
    files = {each.name: each for each in Artifact.objects.filter(session=session)}
    text = read_text(files.get(REPORT))
    shown = {
        "run": session,
        "report": rendered(text, session.public_id),
        "downloads": [files[name] for name in DOWNLOADS if name in files],
    }
    return render(request, "session/report.html", shown, status=200 if text else 404)


@require_safe
def report_md(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """final_report.md itself."""
    return sent(session_or_404(request.user, public_id), REPORT)
