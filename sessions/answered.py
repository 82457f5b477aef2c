"""Answers to the held-out prompts with their scores, side by side: what is shown of them, and all as CSV."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q

from sessions.models import Answer, Artifact, Candidate, TuningSession
from sessions.specification import short_name
from sessions.spreadsheets import csv_line
from sessions.texts import text_of

# Names that workflows/phases/scoring.py gives.
PROMPTS = "heldout"
QUESTIONS, EXPECTED = "prompts/heldout.jsonl", "prompts/heldout-expected.jsonl"
SHOWN = {
    "lowest": "lowest score first",
    "improved": "better than the base model",
    "worsened": "worse than the base model",
    "failed": "without a score",
}
BINS = 10
AT_ONCE = 200  # prompts whose answers are held at a time for the CSV
COLUMNS = ("row", "question", "expected", "subject", "answer", "score", "reason", "fault")


@dataclass(frozen=True)
class Subject:
    """Who answered: `key` as in the rows, `label` for people, `base` the key of its base model, if tuned."""

    key: str
    label: str
    base: str = ""


@dataclass(frozen=True)
class Cell:
    """One subject's answer to one prompt."""

    label: str
    text: str
    score: float | None
    reason: str
    fault: str


@dataclass(frozen=True)
class Row:
    """One prompt with what was expected and the answers to it."""

    number: int  # from 1, as in the file
    question: str
    expected: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Bin:
    """Scores from `low` to `high`: how many rows, and that as a share of the fullest bin."""

    low: float
    high: float
    rows: int
    share: float


def subjects(session: TuningSession) -> list[Subject]:
    """Everybody who was asked: tuned models by number, then base models."""
    keys = set(
        Answer.objects.filter(session=session, prompts=PROMPTS).values_list("subject", flat=True).distinct()
    )
    tuned = [each for each in session.candidates.all() if each.subject in keys]
    found = [Subject(each.subject, told(each), f"base:{each.base_model}") for each in tuned]
    bases = sorted(key for key in keys if key.startswith("base:"))
    return [*found, *(Subject(key, f"{short_name(key.removeprefix('base:'))}, untuned") for key in bases)]


def told(candidate: Candidate) -> str:
    return f"{candidate.label} ({short_name(candidate.base_model)}, rank {candidate.lora_rank})"


def chosen(session: TuningSession, everybody: Sequence[Subject], asked: str) -> Subject | None:
    """The subject that was asked for, else the result, else the first."""
    result = session.result
    wanted = [asked, result.subject if result else ""]
    by_key = {each.key: each for each in everybody}
    return next((by_key[key] for key in wanted if key in by_key), everybody[0] if everybody else None)


def results(session: TuningSession, subject: str) -> dict[int, dict[str, Any]]:
    """What was made of one subject's answers, by row."""
    rows = Answer.objects.filter(session=session, prompts=PROMPTS, subject=subject)
    return dict(rows.order_by("row").values_list("row", "result"))


def cut(session: TuningSession, subject: str) -> int:
    """How many answers of one subject ended at the most tokens instead of by themselves."""
    known = Answer.objects.filter(session=session, prompts=PROMPTS, subject=subject)
    return known.filter(detail__finish_reason="length").count()


def numbers(mine: Mapping[int, dict[str, Any]], base: Mapping[int, dict[str, Any]], show: str) -> list[int]:
    """The rows to show, the most telling first."""
    scores = {row: result["score"] for row, result in mine.items() if "score" in result}
    gains = {row: scores[row] - base[row]["score"] for row in scores if "score" in base.get(row, {})}
    if show == "failed":
        return [row for row in mine if row not in scores]
    if show == "improved":
        return sorted((row for row, gain in gains.items() if gain > 0), key=lambda row: (-gains[row], row))
    if show == "worsened":
        return sorted((row for row, gain in gains.items() if gain < 0), key=lambda row: (gains[row], row))
    return sorted(scores, key=lambda row: (scores[row], row))


def bins(mine: Mapping[int, dict[str, Any]]) -> list[Bin]:
    """How the scores are spread from 0 to 1; 1 itself belongs to the last bin."""
    counts = [0] * BINS
    for result in mine.values():
        if "score" in result:
            counts[min(BINS - 1, int(result["score"] * BINS))] += 1
    most = max(counts) or 1
    return [Bin(at / BINS, (at + 1) / BINS, rows, rows / most) for at, rows in enumerate(counts)]


def rows(session: TuningSession, wanted: Sequence[int], columns: Sequence[Subject]) -> list[Row]:
    """These prompts with the answers of these subjects, in the order of `wanted`."""
    answers = Answer.objects.filter(
        session=session, prompts=PROMPTS, subject__in=[each.key for each in columns], row__in=wanted
    )
    by_place = {(each.row, each.subject): each for each in answers}
    questions = {
        row: question(line["messages"]) for row, line in lines(session, QUESTIONS, set(wanted)).items()
    }
    expected = lines(session, EXPECTED, set(wanted))
    return [
        Row(
            row + 1,
            questions.get(row, ""),
            str(expected.get(row, {}).get("expected", "")),
            [cell(each.label, by_place.get((row, each.key))) for each in columns],
        )
        for row in wanted
    ]


def cell(label: str, answer: Answer | None) -> Cell:
    if answer is None:
        return Cell(label, "", None, "", "not asked")
    result = answer.result
    fault = answer.error or result.get("fault", "")
    return Cell(label, answer.text, result.get("score"), result.get("reason", ""), fault)


def question(messages: Sequence[Mapping[str, Any]]) -> str:
    """The last message of a prompt as text."""
    return text_of(messages[-1].get("content")) if messages else ""


def lines(session: TuningSession, name: str, wanted: Collection[int]) -> dict[int, dict[str, Any]]:
    """Some lines of a prompt file by number; none when it is not there any more."""
    artifact = Artifact.objects.filter(session=session, name=name).first()
    if artifact is None or not artifact.path.is_file():
        return {}
    with artifact.path.open(encoding="utf-8") as file:
        return {at: json.loads(line) for at, line in enumerate(file) if at in wanted}


def table(session: TuningSession) -> Iterator[str]:
    """Every answer with its score as lines of CSV, prompt by prompt; the files are read once, by line."""
    everybody = subjects(session)
    questions, expected = parsed(session, QUESTIONS), parsed(session, EXPECTED)
    yield csv_line(COLUMNS)
    for start in range(0, asked(session), AT_ONCE):
        of_slice = Answer.objects.filter(
            session=session, prompts=PROMPTS, row__gte=start, row__lt=start + AT_ONCE
        )
        found: dict[int, dict[str, Answer]] = {}
        for each in of_slice:
            found.setdefault(each.row, {})[each.subject] = each
        for row in range(start, start + AT_ONCE):
            told = question(next(questions, {}).get("messages", ())), next(expected, {}).get("expected", "")
            for subject in everybody if row in found else ():
                shown = cell(subject.label, found[row].get(subject.key))
                parts = (shown.text, shown.score, shown.reason, shown.fault)
                yield csv_line((row + 1, *told, subject.key, *parts))


def asked(session: TuningSession) -> int:
    """How many prompts there are answers to, counted up to the last."""
    last = Answer.objects.filter(session=session, prompts=PROMPTS).aggregate(last=Max("row"))["last"]
    return 0 if last is None else int(last) + 1


def parsed(session: TuningSession, name: str) -> Iterator[dict[str, Any]]:
    """The lines of a prompt file in their order; none when it is not there any more."""
    artifact = Artifact.objects.filter(session=session, name=name).first()
    if artifact is not None and artifact.path.is_file():
        with artifact.path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def is_scored(session: TuningSession) -> bool:
    """Whether an evaluator scored answers: elsewhere the answers are read otherwise."""
    answers = Answer.objects.filter(session=session, prompts=PROMPTS)
    return answers.filter(Q(result__has_key="score") | Q(result__has_key="fault")).exists()
