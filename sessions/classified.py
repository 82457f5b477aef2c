"""What the evaluation of a classification shows, from the files that a worker keeps and the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet

from sessions.models import Answer, TuningSession
from sessions.specification import short_name

PROMPTS = "heldout"
MATRIX_LABELS = 20  # up to which the matrix is shown cell by cell; beyond, its cells with errors are listed
ROWS_SHOWN, PAIRS_SHOWN = 100, 50
FEW_ROWS = 10  # below which the figures of a label say little
HEADLINES = ("accuracy", "exact_match")  # of one label a row, of several: one of them is measured
METRICS = {
    "accuracy": "Accuracy",
    "exact_match": "Exact match",
    "accuracy_strict": "by the strict rule",
    "exact_match_strict": "by the strict rule",
    "macro_f1": "Macro F1",
    "weighted_f1": "Weighted F1",
    "micro_f1": "Micro F1",
    "hamming_loss": "Hamming loss",
    "outside": "Outside the set",
}
KINDS = {"gained": "became right", "lost": "became wrong", "outside": "answered outside the set"}


def slug(subject: str) -> str:
    """A subject as a part of a file name."""
    return subject.replace(":", "-").replace("/", "-")


@dataclass(frozen=True)
class Figure:
    """One number of a model with its interval."""

    metric: str
    label: str
    value: float
    low: float | None
    high: float | None
    rows: int


@dataclass(frozen=True)
class Model:
    """One measured model in the table."""

    subject: str
    name: str
    base_model: str
    figures: list[Figure]
    chosen: bool = False

    @property
    def is_base(self) -> bool:
        return self.subject.startswith("base:")

    @property
    def headline(self) -> Figure:
        """The share of rows answered rightly."""
        return next(each for each in self.figures if each.metric in HEADLINES)


def models(session: TuningSession, comparison: Mapping[str, Any], chosen: str) -> list[Model]:
    """All measured models, the most accurate first."""
    names = {each["subject"]: each["name"] for each in comparison.get("models", ())}
    found: dict[str, list[Figure]] = {}
    bases: dict[str, str] = {}
    for each in session.evaluations.filter(metric__in=METRICS).select_related("candidate"):
        figure = Figure(each.metric, METRICS[each.metric], each.value, each.low, each.high, each.rows)
        found.setdefault(each.subject, []).append(figure)
        bases[each.subject] = each.candidate.base_model if each.candidate else each.subject.partition(":")[2]
    order = list(METRICS)
    made = [
        Model(
            subject,
            names.get(subject) or f"{short_name(bases[subject])}, untuned",
            bases[subject],
            sorted(figures, key=lambda each: order.index(each.metric)),
            subject == chosen,
        )
        for subject, figures in found.items()
        if {each.metric for each in figures} & set(HEADLINES)
    ]
    return sorted(made, key=lambda each: (-each.headline.value, each.is_base, each.name))


def by_label(body: Mapping[str, Any], base: Mapping[str, Any], address: str) -> list[dict[str, Any]]:
    """The figures of each label with the addresses of its rows, all and those answered with it; the change of
    F1 against the base model where there is one."""
    before = {each["label"]: each["f1"] for each in base.get("by_label", ())}
    return [
        {
            **each,
            "few": each["support"] < FEW_ROWS,
            "all": f"{address}&{urlencode({'rows': 'label', 'right': each['label']})}",
            "hits": f"{address}&{urlencode({'rows': 'hits', 'right': each['label']})}",
            "change": each["f1"] - before[each["label"]] if each["label"] in before else None,
        }
        for each in body.get("by_label", ())
    ]


def matrix(body: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The confusion matrix as cells that open their rows; the wrong ones alone where labels are many."""
    labels, cells = body.get("labels", []), body.get("matrix")
    if cells is None:
        return {}
    answers = [*labels, ""]
    lines = [
        {
            "label": label,
            "cells": [
                {
                    "count": count,
                    "right": across == down,
                    "answered": answers[across],
                    "address": f"{address}&{urlencode({'right': label, 'answered': answers[across]})}",
                }
                for across, count in enumerate(line)
            ],
        }
        for down, (label, line) in enumerate(zip(labels, cells, strict=True))
    ]
    wrong = [
        {**cell, "label": line["label"]}
        for line in lines
        for cell in line["cells"]
        if cell["count"] and not cell["right"]
    ]
    return {
        "labels": labels,
        "lines": lines if len(labels) <= MATRIX_LABELS else [],
        "wrong": sorted(wrong, key=lambda each: -each["count"])[:PAIRS_SHOWN],
        "wrong_pairs": len(wrong),
    }


@dataclass(frozen=True)
class Row:
    """One held-out row with what the models said."""

    row: int
    right: str
    said: list[dict[str, Any]]


def filtered(
    session: TuningSession, subject: str, query: Mapping[str, str], comparison: Mapping[str, Any]
) -> tuple[str, QuerySet[Answer] | None]:
    """The answers that a filter of the address asks for, and the filter in words; None without one."""
    answers = Answer.objects.filter(session=session, prompts=PROMPTS, subject=subject).order_by("row")
    kind = query.get("rows", "")
    if kind in {"gained", "lost"}:
        pair = next((each for each in comparison.get("comparisons", ()) if each["first"] == subject
                     and each["against_base"]), None)  # fmt: skip
        return KINDS[kind], answers.filter(row__in=pair[f"{kind}_rows"] if pair else [])
    if kind == "outside":
        return KINDS[kind], answers.filter(result__labels=None)
    if kind in {"label", "hits"} and (label := query.get("right")):
        places = [
            row
            for row, result in answers.values_list("row", "result")
            if label in result.get("right", ()) and (kind == "label" or label in (result["labels"] or ()))
        ]
        words = f"labelled “{label}”" + (" and answered with it" if kind == "hits" else "")
        return words, answers.filter(row__in=places)
    if "answered" in query and query.get("right"):
        answered, right = query["answered"], query["right"]
        words = f"labelled “{right}” and answered {f'“{answered}”' if answered else 'outside the set'}"
        return words, answers.filter(result__right=[right], result__labels=[answered] if answered else None)
    return "", None


def rows(session: TuningSession, subjects: Sequence[Model], wanted: QuerySet[Answer]) -> list[Row]:
    """The first of these rows with the answers of all these models side by side."""
    places = list(wanted.values_list("row", flat=True)[:ROWS_SHOWN])
    found = Answer.objects.filter(
        session=session, prompts=PROMPTS, row__in=places, subject__in=[each.subject for each in subjects]
    )
    names = {each.subject: each.name for each in subjects}
    said: dict[int, dict[str, Answer]] = {}
    for each in found:
        said.setdefault(each.row, {})[each.subject] = each
    return [
        Row(
            place,
            ", ".join(next(iter(said[place].values())).result.get("right", ())),
            [reading(names[subject], said[place][subject]) for subject in names if subject in said[place]],
        )
        for place in places
    ]


def reading(name: str, answer: Answer) -> dict[str, Any]:
    """One model's answer: the text, what it was read as, and whether that is right."""
    labels, right = answer.result.get("labels"), answer.result.get("right", [])
    return {
        "name": name,
        "text": answer.text or answer.error,
        "labels": None if labels is None else ", ".join(labels),
        "right": labels is not None and set(labels) == set(right),
        "strict": answer.result.get("strict") is not None,
    }
