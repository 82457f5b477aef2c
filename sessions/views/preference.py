"""Preference learning on the session's pages: pairs, the judge, comparisons, and rows side by side."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sessions import compared
from sessions.models import Artifact, Gate, TuningSession
from sessions.numbers import row_number
from sessions.texts import text_of
from sessions.views.reading import session_or_404

ON_A_PAGE = 20
PAIRS, TRAIN, MADE, LINT = "pairs.jsonl", "train.jsonl", "pairs-made.json", "pairs.json"
SAMPLE = "pairs-sample.json"
EXAMPLES, BEGINNING, END = 5, 400, 250  # pairs, characters of a text
# Why a prompt gave no pair, as workflows/phases/preference/making.py has it.
REASONS = {
    "unanswered": "Left out: one model gave no answer",
    "empty": "Left out: an answer was empty",
    "identical": "Left out: both answers are the same",
    "refused": "Left out: an answer declined",
    "cut_off": "Left out: an answer was cut off",
}
LONGEST_LINE = 200_000  # bytes of a row that is read into a page


@require_safe
def comparison(request: HttpRequest, public_id: str) -> HttpResponse:
    """One comparison's rows side by side, blind unless names are asked for."""
    session = session_or_404(request.user, public_id)
    every = [each for each in compared.comparisons(session) if each.match]
    chosen = next(
        (each for each in every if each.match == request.GET.get("match")), every[0] if every else None
    )
    if chosen is None:
        raise Http404("Nothing was compared in this session.")
    named = request.GET.get("names") == "yes"
    kinds = compared.SHOWN if named else compared.BLIND
    show = request.GET.get("show", "all")
    show = show if show in kinds else "all"
    outcomes = compared.outcomes(session, chosen)
    told = [word if named else compared.blinded(word) for _, word, _ in outcomes]
    found = [each for each, word in zip(outcomes, told, strict=True) if show in ("all", word)]
    pages = max(1, -(-len(found) // ON_A_PAGE))
    number = min(max(1, row_number(request.GET.get("page")) or 1), pages)
    wanted = found[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    query = {"match": chosen.match, "show": show, "names": "yes" if named else "no"}
    context = {
        "run": session,
        "every": every,
        "chosen": chosen,
        "choices": {name: f"{words} ({count(told, name)})" for name, words in kinds.items()},
        "show": show,
        "named": named,
        "rows": compared.rows(session, chosen, wanted, blind=not named),
        "total": len(found),
        "number": number,
        "pages": pages,
        "query": urlencode(query),
        "turned": urlencode({**query, "names": "no" if named else "yes", "page": number}),
    }
    return render(request, "session/preference_rows.html", context)


def count(outcomes: list[str], show: str) -> int:
    """How many rows a choice shows."""
    return sum(show in ("all", each) for each in outcomes)


def shown(session: TuningSession) -> dict[str, Any]:
    """What the Evaluation tab and the comparison gate show; empty before anything was compared."""
    found = compared.comparisons(session)
    return {"comparisons": found} if found else {}


def of_winner(session: TuningSession) -> compared.Comparison | None:
    """The chosen model against its base; None where nothing was compared or chosen."""
    if session.winner is None:
        return None
    found = (each for each in compared.comparisons(session) if each.subject == session.winner.subject)
    return next((each for each in found if each.baseline.startswith("base:") and each.is_measured), None)


def evaluated(session: TuningSession) -> dict[str, Any]:
    """The comparisons for the Evaluation tab. A judge gives no scores, so there is no card of them then."""
    found = shown(session)
    if not found or any(each.facts.get("by") == "evaluator" for each in found["comparisons"]):
        return found
    return {**found, "measured": [], "answers": {}}


def has_something(session: TuningSession) -> bool:
    """Whether anything was compared."""
    return bool(compared.comparisons(session))


def data(files: dict[str, Artifact], lint: dict[str, Any]) -> dict[str, Any]:
    """What the Data tab shows of pairs: the lint, how pairs were made, and some of them."""
    if not lint:
        return {}
    made = files.get(MADE)
    rows = files.get(PAIRS) or files.get(TRAIN)
    drawn = sample(files.get(SAMPLE))
    return {
        "lint": lint,
        "made": json.loads(made.path.read_bytes()) if made and made.path.exists() else None,
        "pairs": drawn or (examples(rows) if rows else []),
        "drawn": bool(drawn),
    }


def sample(file: Artifact | None) -> list[dict[str, Any]]:
    """The drawn sample of what was made, kept and left out."""
    if file is None or not file.path.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(file.path.read_bytes())
    cut = ({name: shortened(row[name]) for name in ("asked", "preferred", "other")} for row in rows)
    return [
        {**row, **texts, "reason": REASONS.get(row["outcome"], "")}
        for row, texts in zip(rows, cut, strict=True)
    ]


def shortened(text: str) -> str:
    """A long text by its beginning and its end: many answers begin with reasoning."""
    return text if len(text) <= BEGINNING + END else f"{text[:BEGINNING]} […] {text[-END:]}"


def of_gate(session: TuningSession, gate: Gate) -> dict[str, Any]:
    """The sample, where the gate asks about made pairs."""
    if "review_pairs" not in gate.body:
        return {}
    return {"pair_sample": sample(Artifact.objects.filter(session=session, name=SAMPLE).first())}


def examples(file: Artifact) -> list[dict[str, str]]:
    """The first pairs of a file; prompts without answers are none."""
    if not file.path.exists():
        return []
    with file.path.open("rb") as lines:
        first = [json.loads(line) for line in islice(lines, EXAMPLES) if len(line) <= LONGEST_LINE]
    return [
        {
            "asked": shortened(text_of(row["input"]["messages"][-1].get("content"))),
            "preferred": shortened(text_of(row["preferred_output"][0].get("content"))),
            "other": shortened(text_of(row["non_preferred_output"][0].get("content"))),
        }
        for row in first
        if "input" in row
    ]
