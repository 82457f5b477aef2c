"""What the report says of a classification: base against tuned, how sure that is, and every label."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sessions.classified import HEADLINES, slug
from sessions.models import TuningSession
from workflows.markup import plain, table
from workflows.metrics.verdicts import CLEAR

COMPARISON = "classification/comparison.json"
BETTER, WORSE, EVEN = "clearly better", "clearly worse", "no clear difference"
CHOSEN_BY_LOSS = (
    "Configurations of one base model were chosen by their loss on these same rows, which favours the tuned "
    "models a little. "
)
SHOWN = {
    "accuracy": "Accuracy",
    "exact_match": "Exact match",
    "accuracy_strict": "Strict rule",
    "exact_match_strict": "Strict rule",
    "macro_f1": "Macro F1",
    "weighted_f1": "Weighted F1",
    "micro_f1": "Micro F1",
    "hamming_loss": "Hamming loss",
    "outside": "Outside the set",
}


def gather(session: TuningSession) -> dict[str, Any] | None:
    """JSON-serialisable; None where nothing was compared."""
    kept = session.artifacts.filter(name=COMPARISON).first()
    if kept is None:
        return None
    body: dict[str, Any] = json.loads(kept.path.read_bytes())
    plan = session.plans.last()
    return {
        **body,
        "result": result(session, body),
        "by_label": {each["subject"]: labels(session, each["subject"]) for each in body["models"]},
        "labels_from": plan.body["labels"]["from"] if plan else "",
        "instruction": plan.body["labels"]["instruction"] if plan else "",
    }


def labels(session: TuningSession, subject: str) -> list[dict[str, Any]]:
    """The figures of each label of one model."""
    name = f"classification/{slug(subject)}.json"
    kept = session.artifacts.filter(name=name).first()
    found: list[dict[str, Any]] = json.loads(kept.path.read_bytes())["by_label"] if kept else []
    return found


def verdict(session: TuningSession) -> str:
    """The first sentence of a session that measured and trained nothing; empty for any other."""
    if session.winner or not session.value("benchmark_only"):
        return ""
    body = gather(session)
    if body is None:
        return ""
    best = body["models"][0]
    share = headline(best)
    return (
        f"{best['name']} answered {share['value']:.1%} of {share['rows']:,} held-out rows rightly, the most "
        f"of {len(body['models'])} measured; nothing was trained."
    )


def result(session: TuningSession, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The model that a person chose against its base model; None where it was not measured."""
    chosen = session.result
    if chosen is None:
        return None
    # Where a full-data run failed, its candidate was measured under that run's number.
    keys = [each.subject for each in (chosen, *session.candidates.filter(parent=chosen))]
    key = next((each["subject"] for each in body["models"] if each["subject"] in keys), None)
    return with_base(body, key).told if key else None


def chosen(session: TuningSession) -> str:
    """What the report says of the chosen model in its first lines; empty for other workflows."""
    found = gather(session) or {}
    return f" {each['sentence']}" if (each := found.get("result")) else ""


@dataclass(frozen=True)
class WithBase:
    """A tuned model and its base model as the comparison has them, and what came of it in a word."""

    tuned: Mapping[str, Any]
    base: Mapping[str, Any]
    outcome: str

    @property
    def told(self) -> dict[str, Any]:
        """Both shares, and whether tuning helped, JSON-stable."""
        share, other = headline(self.tuned), headline(self.base)
        return {
            "outcome": self.outcome,
            "sentence": f"It answered {share['value']:.1%} of {share['rows']:,} held-out rows rightly, "
            f"untuned {other['value']:.1%}: {self.outcome}.",
            "right": f"{figure(share)} of {share['rows']:,} held-out rows; {self.base['name']} "
            f"{figure(other)}: {self.outcome}",
        }


def with_base(body: Mapping[str, Any], subject: str) -> WithBase:
    """A tuned model against its base model."""
    models = {each["subject"]: each for each in body["models"]}
    pair = next(each for each in body["comparisons"] if each["first"] == subject and each["against_base"])
    is_clear = pair["word"] == CLEAR
    outcome = (BETTER if pair["difference"] > 0 else WORSE) if is_clear else EVEN
    return WithBase(models[subject], models[pair["second"]], outcome)


def headline(model: Mapping[str, Any]) -> dict[str, Any]:
    """The share of rows answered rightly."""
    found: dict[str, Any] = next(model["metrics"][each] for each in HEADLINES if each in model["metrics"])
    return found


def outcome(facts: Mapping[str, Any]) -> list[str]:
    """The line of the outcome; none for other workflows."""
    found = (facts.get("classification") or {}).get("result")
    return [f"- Right answers: {plain(found['right'])}"] if found else []


def section(facts: Mapping[str, Any]) -> list[str]:
    """The part of the report; empty for other workflows."""
    found = facts.get("classification")
    if not found:
        return []
    metrics = [each for each in SHOWN if each in found["models"][0]["metrics"]]
    rows = [
        [
            plain(each["name"]),
            *(figure(each["metrics"][name]) for name in metrics),
            str(headline(each)["rows"]),
        ]
        for each in found["models"]
    ]
    head = ("Model", *(SHOWN[each] for each in metrics), "Rows")
    tuned = any(each["number"] is not None for each in found["models"])
    title = "## Base against tuned" if tuned else "## Base models compared"
    lines = [title, "", *(f"- {plain(each['sentence'])}" for each in found["comparisons"])]
    lines += ["", *table(head, rows), *per_label(found)]
    told = (
        "Intervals hold with 95%: Wilson's of shares, of F1 and Hamming loss by resampling the rows; "
        "Tango's of differences are as much wider as their correction asks. All comparisons are "
        "corrected together (Holm); which model is best was seen on these rows, so every pair counts. "
        "Rows that Fireworks refused are in no figure. Accuracy takes an answer by what it means, the strict "
        "rule wants the label alone as it is written; an answer outside the label set is wrong by both. "
    )
    told += CHOSEN_BY_LOSS if tuned else ""
    told += "All predictions: `predictions.csv`."
    return [*lines, told, "", f"Labels from {plain(found['labels_from'])}. Every model was asked:", "",
            *(f"> {plain(line)}" for line in found["instruction"].split("\n")), ""]  # fmt: skip


def figure(found: Mapping[str, Any]) -> str:
    """`83.8% (79.1% to 87.6%)`."""
    interval = "" if found["low"] is None else f" ({found['low']:.1%} to {found['high']:.1%})"
    return f"{found['value']:.1%}{interval}"


def per_label(found: Mapping[str, Any]) -> list[str]:
    """Recall of every label by every model: the share of its rows that was answered rightly."""
    models: Sequence[Mapping[str, Any]] = found["models"]
    columns = [found["by_label"][each["subject"]] for each in models]
    rows = [
        [plain(cells[0]["label"]), str(cells[0]["support"]), *(f"{each['recall']:.1%}" for each in cells)]
        for cells in zip(*columns, strict=True)
    ]
    head = ("Label", "Rows", *(plain(each["name"]) for each in models))
    return ["Rows of each label that were answered rightly:", "", *table(head, rows)] if rows else []
