"""Every problem that was found in a session's data: page by page, by rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions import inspected
from sessions.inspected import Problem, Report
from sessions.models import Artifact
from sessions.numbers import row_number
from sessions.views.panels import INSPECTIONS, read_json
from sessions.views.reading import session_or_404

ON_A_PAGE = 100


@dataclass(frozen=True)
class Page:
    """One page of the problems of one rule, or of all. `total` counts all that were found, `kept` those that
    were written down."""

    problems: Sequence[Problem]
    number: int
    kept: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.kept // ON_A_PAGE))

    @property
    def first(self) -> int:
        return (self.number - 1) * ON_A_PAGE + 1 if self.problems else 0

    @property
    def last(self) -> int:
        return self.first + len(self.problems) - 1 if self.problems else 0

    @property
    def before(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        return self.number + 1 if self.number < self.pages else None


@require_safe
def problems(request: HttpRequest, public_id: str) -> HttpResponse:
    """The problems of the dataset, or with `of=evaluation-inspection` of the evaluation dataset."""
    session = session_or_404(request.user, public_id)
    of = request.GET.get("of", "inspection")
    files = {each.name: each for each in Artifact.objects.filter(session=session)}
    found = read_json(files.get(f"{of}.json")) if of in INSPECTIONS else {}
    if not found:
        raise Http404("This session has no such inspection.")
    report = inspected.from_json(found)
    rule = request.GET.get("rule", "")
    context = {
        "run": session,
        "of": of,
        "label": INSPECTIONS[of],
        "report": report,
        "rule": rule,
        "page_of": page(files.get(f"{of}-problems.jsonl"), report, rule, request.GET.get("page", "")),
        "query": urlencode({"of": of, "rule": rule} if rule else {"of": of}),
        "csv": files.get(f"{of}-problems.csv"),
    }
    return render(request, "session/problems.html", context)


def page(file: Artifact | None, report: Report, rule: str, asked: str) -> Page:
    """The asked page, else the first; a number past the end is the last page."""
    kept = sum(1 for _ in kept_of(file, rule))
    pages = max(1, -(-kept // ON_A_PAGE))
    number = min(max(1, row_number(asked) or 1), pages)
    start = (number - 1) * ON_A_PAGE
    shown = list(islice(kept_of(file, rule), start, start + ON_A_PAGE))
    total = sum(each.rows for each in report.by_rule if rule in ("", each.rule))
    return Page(shown, number, kept, max(total, kept))


def kept_of(file: Artifact | None, rule: str) -> Iterator[Problem]:
    """The problems that were written down, one at a time."""
    if file is None or not file.path.exists():
        return
    with file.path.open("rb") as lines:
        for line in lines:
            raw = json.loads(line)
            if rule in ("", raw["rule"]):
                yield inspected.problem(raw)
