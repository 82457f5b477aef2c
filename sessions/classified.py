"""What the evaluation of a classification shows, from the files that a worker keeps and the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sessions.models import TuningSession
from sessions.specification import short_name

MATRIX_LABELS = 20  # up to which the matrix is shown cell by cell; beyond, its cells with errors are listed
PAIRS_SHOWN = 1000  # in a box that scrolls
FEW_ROWS = 10  # below which the figures of a label say little
HEADLINES = ("accuracy", "exact_match")  # of one label a row, of several: one of them is measured
PARTS = ("hits", "missing", "added", "neither")  # of all rows, by what one label is in them
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
OUTSIDE = "\N{REPLACEMENT CHARACTER}"  # among labels that were added: an answer outside the set


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

    @property
    def interval(self) -> str:
        """`61.2–89.0 %`; empty without one."""
        if self.low is None or self.high is None:
            return ""
        return f"{100 * self.low:.1f}–{100 * self.high:.1f}\N{NO-BREAK SPACE}%"


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


def several(body: Mapping[str, Any], address: str) -> dict[str, Any]:
    """Of rows with several labels: each label's rows in four parts, and which labels were missing and which
    were added instead, each number with the address of its rows."""
    swaps = [
        {
            **each,
            "outside": each["added"] == OUTSIDE,
            "address": f"{address}&{urlencode({'missing': each['missing'], 'added': each['added']})}",
        }
        for each in body.get("swaps", ())
    ]
    return {
        "lines": [
            {
                "label": each["label"],
                "cells": [
                    {
                        "kind": kind,
                        "count": each[kind],
                        "address": f"{address}&{urlencode({'rows': kind, 'right': each['label']})}",
                    }
                    for kind in PARTS
                ],
            }
            for each in body.get("cells", ())
        ],
        "swaps": swaps[:PAIRS_SHOWN],
        "swaps_found": len(swaps),
    }
