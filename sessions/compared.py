"""What a judge made of two models' answers, as the pages show it: numbers, and rows side by side."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sessions.models import Answer, Artifact, Evaluation, TuningSession
from sessions.specification import short_name
from sessions.texts import text_of

WIN_RATE = "win_rate"
HELDOUT = "heldout"
SHOWN = {
    "all": "all",
    "won": "won",
    "lost": "lost",
    "tied": "tied",
    "order": "decided by the order",
    "invalid": "without a valid verdict",
}
BLIND = {
    "all": "all",
    "decided": "one preferred in both orders",
} | {  # which of the two would unblind the page
    name: SHOWN[name] for name in ("tied", "order", "invalid")
}
BY_PICKS = {("first", "second"): "won", ("second", "first"): "lost"}


@dataclass(frozen=True)
class Comparison:
    """One subject against another. Shares are between 0 and 1; `facts` has what else the verdicts say."""

    match: str
    subject: str
    baseline: str
    subject_label: str
    baseline_label: str
    value: float
    low: float | None
    high: float | None
    rows: int
    facts: Mapping[str, Any]

    @property
    def is_measured(self) -> bool:
        return self.rows > 0

    @property
    def flips(self) -> float | None:
        """The share of rows in which the order decided."""
        return (self.facts.get("flip_rate") or {}).get("value")

    @property
    def words(self) -> Mapping[str, float] | None:
        """How many words each side's answers have on average."""
        return self.facts.get("words")

    @property
    def notes(self) -> Sequence[str]:
        """What to know of the judge and the answers, beside the result."""
        found: Sequence[str] = self.facts.get("sentences", [])[1:]
        return found

    @property
    def bars(self) -> list[tuple[str, float, float]]:
        """Won, tied, lost: the word, where its part of a bar of 100 begins, and how wide it is."""
        counts = {"won": self.facts["wins"], "tied": self.facts["ties"], "lost": self.facts["losses"]}
        found, start = [], 0.0
        for name, rows in counts.items():
            width = 100 * rows / max(1, self.rows)
            found.append((name, start, width))
            start += width
        return found


@dataclass(frozen=True)
class Side:
    """One of two answers: how it is named, and whether both orders preferred it."""

    label: str
    text: str
    won: bool


@dataclass(frozen=True)
class Row:
    """One prompt with both answers; blind, they stand in an order that says nothing."""

    number: int
    question: str
    sides: Sequence[Side]
    outcome: str
    reasons: Sequence[str]


def comparisons(session: TuningSession) -> list[Comparison]:
    """Every pair of subjects that was compared, in the order of their measurement."""
    found = Evaluation.objects.filter(session=session, metric__startswith=WIN_RATE).select_related(
        "candidate"
    )
    return [
        Comparison(
            match=str(each.provenance.get("match", "")),
            subject=each.subject,
            baseline=str(each.provenance["baseline"]),
            subject_label=label(each.subject),
            baseline_label=label(str(each.provenance["baseline"])),
            value=each.value,
            low=each.low,
            high=each.high,
            rows=each.rows,
            facts=each.provenance,
        )
        for each in found.order_by("pk")
    ]


def label(subject: str) -> str:
    """A subject in words."""
    kind, _, rest = subject.partition(":")
    return f"Candidate {rest}" if kind == "candidate" else f"{short_name(rest)}, untuned"


def outcome(picks: Sequence[str]) -> str:
    """What both orders come to for the subject: one of SHOWN."""
    if "invalid" in picks or len(picks) != 2:
        return "invalid"
    both = (picks[0], picks[1])
    if both in BY_PICKS:
        return BY_PICKS[both]
    return "tied" if both == ("tie", "tie") else "order"


def outcomes(session: TuningSession, comparison: Comparison) -> list[tuple[int, str, list[str]]]:
    """Held-out row, outcome and both reasons, of every compared row. The n-th row that both answered is
    what the judge's rows 2n and 2n + 1 are about."""
    both = answered(session, comparison)
    said = Answer.objects.filter(session=session, prompts=comparison.match).order_by("row")
    results = [each or {} for each in said.values_list("result", flat=True)]
    pairs = zip(results[::2], results[1::2], strict=False)
    return [
        (
            row,
            outcome([str(each.get("pick", "")) for each in pair]),
            [str(each.get("reason", "")) for each in pair],
        )
        for row, pair in zip(both, pairs, strict=False)
    ]


def blinded(word: str) -> str:
    """An outcome as a blind page may tell it: one of BLIND."""
    return "decided" if word in {"won", "lost"} else word


def answered(session: TuningSession, comparison: Comparison) -> list[int]:
    """The held-out rows that both subjects answered, in their order."""
    rows = [
        set(
            Answer.objects.filter(session=session, prompts=HELDOUT, subject=subject, error="")
            .exclude(answered_at=None)
            .values_list("row", flat=True)
        )
        for subject in (comparison.subject, comparison.baseline)
    ]
    return sorted(rows[0] & rows[1])


def rows(
    session: TuningSession,
    comparison: Comparison,
    wanted: Sequence[tuple[int, str, list[str]]],
    *,
    blind: bool,
) -> list[Row]:
    """These rows with both answers. Blind, each row's order is drawn by a hash of session, match and row, and
    neither names nor marks are told."""
    numbers = [row for row, *_ in wanted]
    asked = questions(session, numbers)
    keys = (comparison.subject, comparison.baseline)
    texts = {
        (each.subject, each.row): each.text
        for each in Answer.objects.filter(session=session, prompts=HELDOUT, subject__in=keys, row__in=numbers)
    }
    found = []
    for number, word, reasons in wanted:
        sides = [
            Side(comparison.subject_label, texts.get((keys[0], number), ""), word == "won"),
            Side(comparison.baseline_label, texts.get((keys[1], number), ""), word == "lost"),
        ]
        question = asked.get(number, "")
        if blind:
            drawn = hidden(sides, f"{session.public_id} {comparison.match} {number}")
            found.append(Row(number, question, drawn, blinded(word), ()))
        else:
            found.append(Row(number, question, sides, word, reasons))
    return found


def hidden(sides: Sequence[Side], key: str) -> list[Side]:
    """Both sides under letters and without a mark, in an order that the key draws."""
    turned = hashlib.sha256(key.encode()).digest()[0] % 2
    ordered = sides[::-1] if turned else sides
    return [Side(f"Answer {name}", each.text, won=False) for name, each in zip("AB", ordered, strict=True)]


def questions(session: TuningSession, wanted: Sequence[int]) -> dict[int, str]:
    """What was asked in these rows: the last message of each."""
    file = Artifact.objects.filter(session=session, name=f"prompts/{HELDOUT}.jsonl").first()
    if file is None or not file.path.exists() or not wanted:
        return {}
    left = set(wanted)
    with file.path.open("rb") as lines:
        told = {at: json.loads(line) for at, line in islice(enumerate(lines), max(wanted) + 1) if at in left}
    return {at: text_of(row["messages"][-1].get("content")) for at, row in told.items()}
