"""The Evaluation tab of a classification: the verdict, every label, the matrix, the rows behind a cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sessions import classified, classified_rows
from sessions.models import Artifact, TuningSession

COMPARISON, PREDICTIONS = "classification/comparison.json", "predictions.csv"
MANY = 9  # digits of a number of rows that is not one
LONGEST_PROMPT = 2_000  # characters of a conversation that are shown


def has_something(files: Mapping[str, Artifact]) -> bool:
    """Whether a model was measured."""
    return any(name.startswith("classification/") for name in files)


def shown(session: TuningSession, files: Mapping[str, Artifact], query: Mapping[str, str]) -> dict[str, Any]:
    """Everything the tab says."""
    comparison = read(files.get(COMPARISON))
    chosen = subject_of(session, comparison, query.get("of", ""))
    models = classified.models(session, comparison, chosen)
    model = next((each for each in models if each.subject == chosen), models[0])
    base = next((each for each in models if each.is_base and each.base_model == model.base_model), None)
    against = base if base and not model.is_base else None
    body = read(files.get(f"classification/{classified.slug(model.subject)}.json"))
    address = f"?{urlencode({'tab': 'evaluation', 'of': model.subject})}"
    pair = next(
        (each for each in comparison.get("comparisons", ())
         if each["first"] == model.subject and each["against_base"]), None,
    )  # fmt: skip
    return {
        "classified": {
            "models": models,
            "columns": [each.label for each in models[0].figures],
            "model": model,
            "against": against,
            "comparisons": comparison.get("comparisons", []),
            "body": body,
            "labels": classified.by_label(body, read_of(files, against), address),
            "matrix": classified.matrix(body, address),
            "several": classified.several(body, address),
            "picture": files.get(f"charts/confusion-{classified.slug(model.subject)}.svg"),
            "pair": pair,
            "is_benchmark": bool(session.value("benchmark_only")),
            "address": address,
            "predictions": files.get(PREDICTIONS),
            **behind(session, files, model, against, query, comparison, pair or {}),
        }
    }


def outcome(session: TuningSession) -> dict[str, Any]:
    """For the card at the top of a finished session: the model that is the result (of a benchmark: the best)
    with its share of right answers, and what its comparison came to. Empty where nothing was measured."""
    kept = session.artifacts.filter(name=COMPARISON).first()
    if kept is None:
        return {}
    comparison = read(kept)
    chosen = subject_of(session, comparison, "")
    model = next(each for each in classified.models(session, comparison, chosen) if each.chosen)
    told = (
        each["sentence"]
        for each in comparison.get("comparisons", ())
        if each["first"] == chosen and each["against_base"] != model.is_base
    )
    return {"name": model.name, "figure": model.headline, "sentence": next(told, "")}


def subject_of(session: TuningSession, comparison: Mapping[str, Any], asked: str) -> str:
    """The model to show: the one asked for, the result, the best tuned one, or any."""
    measured = set(
        session.evaluations.filter(metric__in=classified.HEADLINES).values_list("subject", flat=True)
    )
    tuned = [each["subject"] for each in comparison.get("models", ()) if each["number"] is not None]
    result = session.result
    ranked = [each["subject"] for each in comparison.get("models", ())]
    # Where the full-data run failed, the winner was measured under that run's number.
    runs = [each.subject for each in session.candidates.filter(parent=result)] if result else []
    wanted = [asked, result.subject if result else "", *runs, *tuned, *ranked, *sorted(measured)]
    return next(each for each in map(str, wanted) if each in measured)


def behind(
    session: TuningSession,
    files: Mapping[str, Artifact],
    model: classified.Model,
    against: classified.Model | None,
    query: Mapping[str, str],
    comparison: Mapping[str, Any],
    pair: Mapping[str, Any],
) -> dict[str, Any]:
    """The rows that a filter asks for, with their conversations."""
    words, wanted = classified_rows.filtered(session, model.subject, query, comparison)
    if wanted is None:
        return {"filter": ""}
    both = [model, against] if against else [model]
    start = int(query["from"]) if query.get("from", "").isdecimal() and len(query["from"]) < MANY else 0
    rows = classified_rows.rows(session, both, wanted, start)
    end = start + len(rows)
    further = {**{name: query[name] for name in query if name != "from"}, "from": end}
    texts = conversations(files, [each.row for each in rows])
    return {
        "filter": words,
        "first_row": start + 1,
        "last_row": end,
        "next_rows": f"?{urlencode(further)}#rows" if rows and end < wanted.count() else "",
        "rows": [(each, texts.get(each.row, "")) for each in rows],
        # Of a comparison the first rows alone are kept; it counts all.
        "rows_found": pair.get(kind, 0)
        if (kind := query.get("rows")) in {"gained", "lost"}
        else wanted.count(),
    }


def conversations(files: Mapping[str, Artifact], rows: list[int]) -> dict[int, str]:
    """What was asked in these rows, without the system message that all have alike."""
    artifact, wanted = files.get("prompts/heldout.jsonl"), set(rows)
    if artifact is None or not wanted or not artifact.path.exists():
        return {}
    found = {}
    with artifact.path.open("rb") as lines:
        for number, line in enumerate(lines):
            if number in wanted:
                turns = [each for each in json.loads(line)["messages"] if each["role"] != "system"]
                found[number] = "\n".join(str(each["content"]) for each in turns)[:LONGEST_PROMPT]
            if number > max(wanted):
                break
    return found


def read_of(files: Mapping[str, Artifact], model: classified.Model | None) -> dict[str, Any]:
    return read(files.get(f"classification/{classified.slug(model.subject)}.json")) if model else {}


def read(artifact: Artifact | None) -> dict[str, Any]:
    """A JSON file of the workspace; empty when it is not there."""
    if artifact is None or not artifact.path.exists():
        return {}
    found: dict[str, Any] = json.loads(artifact.path.read_bytes())
    return found
