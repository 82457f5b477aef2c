"""The comparison that a person confirms before anything is deployed: who leads, how surely, and the
target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessions.models import Candidate, Evaluation, TuningSession
from workflows.metrics import target as targets
from workflows.metrics import words
from workflows.metrics.intervals import Estimate
from workflows.phases.preference import measuring
from workflows.phases.preference.judging import WIN_RATE
from workflows.work import Work

CLEAR, UNCLEAR, WORSE = "clear", "unclear", "worse"


def ranked(session: TuningSession, done: Sequence[Candidate]) -> list[Candidate]:
    """The measured candidates, best number first; equal ones in their order."""
    numbers = {each.number: measuring.number(session, each) for each in done}
    known = [each for each in done if numbers[each.number]]
    return sorted(known, key=lambda each: (-value_of(numbers[each.number]), each.number))


def value_of(found: Evaluation | None) -> float:
    """A number that is there."""
    return found.value if found else 0.0


def estimate(found: Evaluation) -> Estimate:
    """A stored number as the metrics have it."""
    return Estimate(found.value, found.rows, found.low, found.high, str(found.provenance.get("interval", "")))


def proposal(session: TuningSession, done: Sequence[Candidate]) -> dict[str, Any]:
    """What the gate shows. The suggested one has the best number, unless a runner-up clearly beats it head to
    head."""
    ranking = ranked(session, done)
    leader = ranking[0]
    beaten = [rival for rival in ranking[1:] if beats(session, leader, rival) == WORSE]
    suggested = beaten[0] if beaten else leader
    word, certainty = sure(session, suggested, [each for each in ranking if each != suggested])
    numbers = [(each, measuring.number(session, each)) for each in ranking]
    metric = measuring.SCORE if measuring.by_evaluator(session) else WIN_RATE
    return {
        "suggested": suggested.number,
        "metric": metric,
        "word": word,
        "rule": rule(session, numbers[0][1], several=len({each.base_model for each in ranking}) > 1),
        "certainty": certainty,
        "target": target(session, suggested),
        "ranking": [
            {
                "number": each.number,
                "name": each.label,
                "value": found.value,
                "low": found.low,
                "high": found.high,
                "rows": found.rows,
            }
            for each, found in numbers
            if found
        ],
    }


def rule(session: TuningSession, found: Evaluation | None, *, several: bool) -> str:
    """By what the suggestion goes; `several` base models are not compared by one measure."""
    rows = found.rows if found else 0
    if measuring.by_evaluator(session):
        return f"Highest mean score of the evaluator, on {rows:,} held-out prompts."
    each = ", each against its own base model" if several else " against its base model"
    return f"Highest win rate{each}, on {rows:,} held-out prompts judged in both orders."


def beats(session: TuningSession, one: Candidate, other: Candidate) -> str:
    """Whether one is clearly better than the other head to head, clearly worse, or neither. They were
    compared from one side only: the other side's win rate is the rest to 1."""
    for subject, rival, sign in ((one, other, 1), (other, one, -1)):
        found = head_to_head(session, subject, rival)
        if found and not estimate(found).holds(0.5):
            return CLEAR if sign * (found.value - 0.5) > 0 else WORSE
    return UNCLEAR


def head_to_head(session: TuningSession, one: Candidate, other: Candidate) -> Evaluation | None:
    """The win rate of one tuned model against another, where they were compared from this side."""
    metric = f"{WIN_RATE}:{other.subject}"
    return Evaluation.objects.filter(session=session, subject=one.subject, metric=metric, rows__gt=0).first()


def sure(session: TuningSession, suggested: Candidate, others: Sequence[Candidate]) -> tuple[str, str]:
    """How clear it is that the suggested model should go on: a word, and why."""
    base = measuring.number(session, suggested, WIN_RATE)
    parts = [str(base.provenance["sentences"][0]) if base else "It was not compared with its base model."]
    differs = base is not None and not estimate(base).holds(0.5)
    if differs and value_of(base) < 0.5:
        return WORSE, " ".join([*parts, "The base model is the better one: consider stopping here."])
    close = [each for each in others if beats(session, suggested, each) != CLEAR]
    met = [
        each.number
        for each in close
        if head_to_head(session, suggested, each) or head_to_head(session, each, suggested)
    ]
    unmet = [each.number for each in close if each.number not in met]
    if met:
        parts.append(f"It cannot be told apart from {words_of(met)}, so either may be the better one.")
    if unmet:
        parts.append(f"It was not compared with {words_of(unmet)} directly.")
    return (CLEAR if differs and not close else UNCLEAR), " ".join(parts)


def words_of(numbers: Sequence[int]) -> str:
    """`candidate 2`, `candidates 2 and 3`."""
    shown = ", ".join(map(str, numbers[:-1]))
    return f"candidates {shown} and {numbers[-1]}" if shown else f"candidate {numbers[0]}"


def target(session: TuningSession, candidate: Candidate) -> dict[str, Any] | None:
    """Whether the target is met by this candidate: a word and a sentence; None without a target."""
    said = session.value("target")
    if not said:
        return None
    metric, figure = said
    found = measuring.number(session, candidate, metric)
    if found is None:
        return {"word": targets.CLOSE, "sentence": "What the target speaks of was not measured."}
    reached = targets.reached(figure, estimate(found), is_share=metric == WIN_RATE)
    return {"word": reached.word, "sentence": reached.sentence}


def chosen(work: Work) -> str:
    """The end of the phase in a line."""
    winner = work.session.winner
    assert winner is not None  # noqa: S101  # asked only once a person chose
    found = measuring.number(work.session, winner)
    shown = words.interval(estimate(found), is_share=found.metric == WIN_RATE) if found else "not measured"
    said = target(work.session, winner)
    return f"candidate {winner.number} was chosen: {said['sentence'].rstrip('.') if said else shown}"
