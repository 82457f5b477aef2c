"""The answers to the held-out prompts, page by page, and all of them as CSV."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions import answered
from sessions.models import TuningSession
from sessions.numbers import row_number
from sessions.views.reading import session_or_404

ON_A_PAGE = 25
LOWEST = 5  # on the Evaluation tab


@require_safe
def answers(request: HttpRequest, public_id: str) -> HttpResponse:
    """One model's answers beside its base model's: the lowest scores, what got better, worse, or failed."""
    session = session_or_404(request.user, public_id)
    everybody = answered.subjects(session)
    subject = answered.chosen(session, everybody, request.GET.get("of", ""))
    if subject is None or not answered.is_scored(session):
        raise Http404("Nothing was scored in this session.")
    show = request.GET.get("show", "")
    show = show if show in answered.SHOWN else "lowest"
    base = next((each for each in everybody if each.key == subject.base), None)
    mine, theirs = results(session, subject, base)
    found = answered.numbers(mine, theirs, show)
    number = max(1, row_number(request.GET.get("page")) or 1)
    pages = max(1, -(-len(found) // ON_A_PAGE))
    number = min(number, pages)
    columns = [subject, base] if base else [subject]
    wanted = found[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    context = {
        "run": session,
        "subjects": everybody,
        "subject": subject,
        "choices": answered.SHOWN,
        "show": show,
        "rows": answered.rows(session, wanted, columns),
        "total": len(found),
        "number": number,
        "pages": pages,
        "query": urlencode({"of": subject.key, "show": show}),
    }
    return render(request, "session/answers.html", context)


Results = dict[int, dict[str, Any]]


def results(
    session: TuningSession, subject: answered.Subject, base: answered.Subject | None
) -> tuple[Results, Results]:
    """What was made of the subject's answers and of its base model's."""
    return answered.results(session, subject.key), answered.results(session, base.key) if base else {}


@require_safe
def answers_csv(request: HttpRequest, public_id: str) -> StreamingHttpResponse:
    """Every answer of every model with its score."""
    session = session_or_404(request.user, public_id)
    if not answered.is_scored(session):
        raise Http404("Nothing was scored in this session.")
    lines = answered.table(session)
    content = aside(lines) if isinstance(request, ASGIRequest) else lines
    response = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="answers-{session.public_id}.csv"'
    return response


async def aside(lines: Iterator[str]) -> AsyncIterator[str]:
    """Lines made beside the event loop, some at a time: Django would collect a plain iterator whole."""
    while some := await sync_to_async(lambda: list(islice(lines, answered.AT_ONCE)))():
        yield "".join(some)


def summary(session: TuningSession) -> dict[str, Any]:
    """What the Evaluation tab shows of the answers; empty where none were scored."""
    everybody = answered.subjects(session)
    subject = answered.chosen(session, everybody, "")
    if subject is None or not answered.is_scored(session):
        return {}
    base = next((each for each in everybody if each.key == subject.base), None)
    mine, theirs = results(session, subject, base)
    counts = {show: len(answered.numbers(mine, theirs, show)) for show in answered.SHOWN}
    lowest = answered.numbers(mine, theirs, "lowest")[:LOWEST]
    return {
        "subject": subject,
        "bins": answered.bins(mine),
        "counts": counts,
        "asked": len(mine),
        "cut": answered.cut(session, subject.key),
        "rows": answered.rows(session, lowest, [subject, base] if base else [subject]),
    }
