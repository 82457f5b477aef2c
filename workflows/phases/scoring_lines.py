"""What the answers that an evaluator scores cost in the plan: who is asked, and by which way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sessions.costs import Line
from sessions.costs.inference import TOKEN_WAYS
from sessions.specification import CandidateConfig
from sessions.states import Phase
from sessions.texts import text_of
from workflows.answers import Load, Priced, Subject, priced
from workflows.evaluators.samples import Sample
from workflows.phases.scoring import PROMPTS
from workflows.work import Work


def load_of(found: Sequence[Sample], tokens: int, most: int) -> Load:
    """What one model is asked: `tokens` are those of the held-out rows with their answers, which are divided
    between prompts and answers by their characters; an answer has `most` at the most."""
    asked = sum(len(text_of(each.get("content"))) for sample in found for each in sample.prompt)
    told = sum(len(sample.answer) for sample in found)
    answers = tokens * told // max(1, asked + told)
    return Load(len(found), tokens - answers, min(most, max(1, answers // max(1, len(found)))), most)


def lines(work: Work, configs: Sequence[CandidateConfig], load: Load, *, final_run: bool) -> Priced:
    """The base models as they are and every candidate in phase 3, and the full-data run in phase 5."""
    models = dict.fromkeys(each.base_model for each in configs)
    asked = [*map(Subject.base, models), *(Subject.planned(each.number, each.base_model) for each in configs)]
    found = priced(work, PROMPTS, dict.fromkeys(asked, load), phase=Phase.SWEEP)
    if not final_run:
        return found
    return Priced((*with_another(found, configs), last(found.lines, configs)), found.ways)


def with_another(found: Priced, configs: Sequence[CandidateConfig]) -> tuple[Line, ...]:
    """Where a temporary deployment is the way, it is deleted after the candidates' last answer, and the
    full-data run needs one more: the dearest, on the line of its base model, as the winner is not known."""
    bases = {Subject.planned(each.number, each.base_model).key: each.base_model for each in configs}
    told = [each for each in found.ways if each["subject"] in bases]
    needed = [(bases[each["subject"]], way) for each in told if (way := first_deployment(each["ways"]))]
    if not needed:
        return found.lines
    base, way = max(needed, key=lambda each: Decimal(each[1]["high"]))
    item = f"deployment:{PROMPTS}:{base}"
    return tuple(once_more(line, way) if line.item == item else line for line in found.lines)


def first_deployment(ways: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The way that will be tried first, where that is a deployment with a price."""
    way = next((each for each in ways if not each["why_not"]), None)
    return way if way and way["way"] not in TOKEN_WAYS and way["high"] is not None else None


def once_more(line: Line, way: dict[str, Any]) -> Line:
    """The line with one more deployment."""
    if line.expected is None or line.high is None:
        return line
    return replace(
        line,
        expected=line.expected + Decimal(way["expected"]),
        high=line.high + Decimal(way["high"]),
        how=f"{line.how} Counted once more for the full-data run of the winner.",
    )


def last(found: Sequence[Line], configs: Sequence[CandidateConfig]) -> Line:
    """The line of the full-data run: its base model is not known yet, so it is priced as the dearest
    candidate; a deployment that it may need has the line of its base model."""
    candidates = [each for each in found if each.item.startswith(f"inference:{PROMPTS}:candidate:")]
    unknown = [each for each in candidates if each.high is None]
    dearest = unknown[0] if unknown else max(candidates, key=lambda each: each.high or 0)
    return replace(
        dearest,
        item=f"inference:{PROMPTS}:{Subject.planned(len(configs) + 1, '').key}",
        label="Answers of the full-data run of the winner",
        phase=Phase.EVALUATION,
    )
