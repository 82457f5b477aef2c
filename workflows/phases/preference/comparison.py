"""The comparison that a person confirms before anything is deployed: who leads, how surely, and the
target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sessions.models import Candidate, Evaluation, TuningSession
from workflows.metrics import target as targets
from workflows.metrics import words
from workflows.metrics.intervals import LEVEL, Estimate
from workflows.metrics.win_rates import win_rate
from workflows.phases.preference import leading, measuring
from workflows.phases.preference.judging import WIN_RATE
from workflows.phases.preference.leading import CLEAR, UNCLEAR, WORSE, beats, direct, estimate
from workflows.work import Work

TITLES = {
    CLEAR: "Confirm the comparison",
    UNCLEAR: "No clear winner: choose which one goes on",
    WORSE: "The base model did better: stop here, or go on all the same",
}


def ranked(session: TuningSession, done: Sequence[Candidate]) -> list[Candidate]:
    """The measured candidates, best number first; equal ones in their order."""
    numbers = {each.number: measuring.number(session, each) for each in done}
    known = [each for each in done if numbers[each.number]]
    return sorted(known, key=lambda each: (-value_of(numbers[each.number]), each.number))


def value_of(found: Evaluation | None) -> float:
    """A number that is there."""
    return found.value if found else 0.0


def proposal(session: TuningSession, done: Sequence[Candidate]) -> dict[str, Any]:
    """What the gate shows."""
    ranking = ranked(session, done)
    suggested, why = leading.leader(session, ranking)
    word, certainty = sure(session, suggested, ranking)
    numbers = [(each, measuring.number(session, each)) for each in ranking]
    metric = measuring.SCORE if measuring.by_evaluator(session) else WIN_RATE
    return {
        "title": TITLES[word],
        "suggested": suggested.number,
        "metric": metric,
        "word": word,
        "rule": rule(session, numbers[0][1], several=len({each.base_model for each in ranking}) > 1),
        "why": why,
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
    clear = "A clear win in a direct comparison goes before it."
    if measuring.by_evaluator(session):
        return f"Highest mean score of the evaluator, on {rows:,} held-out prompts. {clear}"
    judged = f"on {rows:,} held-out prompts judged in both orders"
    if several:
        return (
            f"Best against each other directly, among the {leading.BEST} with the highest win rates against "
            f"their own base models, {judged}."
        )
    return f"Highest win rate against its base model, {judged}. {clear}"


def sure(session: TuningSession, suggested: Candidate, ranking: Sequence[Candidate]) -> tuple[str, str]:
    """How clear it is that the suggested model should go on: a word, and why."""
    base = measuring.number(session, suggested, WIN_RATE)
    parts = [str(base.provenance["sentences"][0]) if base else "It was not compared with its base model."]
    differs = base is not None and not estimate(base).holds(0.5)
    best = best_of(base, len(ranking)) if base else None
    if differs and best and best.holds(0.5):
        differs = False
        parts.append(
            f"It is the best of {len(ranking)}, and the best of several looks good by luck too: allowing for "
            f"that, {words.interval(best, is_share=True)}, so it is within noise."
        )
    if differs and value_of(base) < 0.5:
        return WORSE, " ".join([*parts, "The base model is the better one: consider stopping here."])
    if base and base.value < 0.5:
        parts.append("On these rows its base model did better.")
    others = [each for each in ranking if each != suggested]
    parts += among(session, suggested, others)
    is_ahead = all(ahead(session, suggested, each) for each in others)
    return (CLEAR if differs and is_ahead else UNCLEAR), " ".join(parts)


def among(session: TuningSession, suggested: Candidate, others: Sequence[Candidate]) -> list[str]:
    """How the suggested one stands to the others: beats, beaten by, alike, not met."""
    met = {
        each.number: beats(session, suggested, each) for each in others if direct(session, suggested, each)
    }
    behind = [each.number for each in others if met.get(each.number) == CLEAR]
    alike = [each.number for each in others if met.get(each.number) == UNCLEAR]
    before = [each.number for each in others if met.get(each.number) == WORSE]
    unmet = [each.number for each in others if each.number not in met and not ahead(session, suggested, each)]
    said = [f"Directly it beats {words_of(behind)}."] if behind else []
    said += [f"It is beaten by {words_of(before)}."] if before else []
    said += (
        [f"It cannot be told apart from {words_of(alike)}, so either may be the better one."] if alike else []
    )
    return said + ([f"It was not compared with {words_of(unmet)} directly."] if unmet else [])


def ahead(session: TuningSession, one: Candidate, other: Candidate) -> bool:
    """Whether one is clearly the better: directly, else by intervals of one measure that do not touch."""
    if direct(session, one, other):
        return beats(session, one, other) == CLEAR
    if one.base_model != other.base_model and not measuring.by_evaluator(session):
        return False
    ours, theirs = (measuring.number(session, each) for each in (one, other))
    if not ours or not theirs or ours.low is None or theirs.high is None:
        return False
    return ours.low > theirs.high


def words_of(numbers: Sequence[int]) -> str:
    """`candidate 2`, `candidates 2 and 3`."""
    shown = ", ".join(map(str, numbers[:-1]))
    return f"candidates {shown} and {numbers[-1]}" if shown else f"candidate {numbers[0]}"


def measured(session: TuningSession) -> int:
    """How many candidates have the number that ranks them."""
    return sum(measuring.number(session, each) is not None for each in session.candidates.all())


def best_of(found: Evaluation, count: int) -> Estimate:
    """The win rate of the best of so many models, with an interval that holds for whichever came out best
    (Bonferroni); other numbers as they are."""
    known, counts = estimate(found), found.provenance
    if count < 2 or "wins" not in counts or not known.rows:
        return known
    wide = win_rate(counts["wins"], counts["losses"], known.rows, 1 - (1 - LEVEL) / count)
    assert known.low is not None and known.high is not None  # noqa: S101, PT018  # win rates have both ends
    return replace(wide, low=min(wide.low or 0.0, known.low), high=max(wide.high or 0.0, known.high))


def target(session: TuningSession, candidate: Candidate) -> dict[str, Any] | None:
    """Whether the target is met by this candidate, the best of all measured ones: a word and a sentence; None
    without a target."""
    said = session.value("target")
    if not said:
        return None
    metric, figure = said
    found = measuring.number(session, candidate, metric)
    if found is None:
        return {"word": targets.CLOSE, "sentence": "What the target speaks of was not measured."}
    reached = targets.reached(figure, best_of(found, measured(session)), is_share=metric == WIN_RATE)
    return {"word": reached.word, "sentence": reached.sentence}


def chosen(work: Work) -> str:
    """The end of the phase in a line."""
    winner = work.session.winner
    assert winner is not None  # noqa: S101  # asked only once a person chose
    found = measuring.number(work.session, winner)
    shown = words.interval(estimate(found), is_share=found.metric == WIN_RATE) if found else "not measured"
    said = target(work.session, winner)
    return f"candidate {winner.number} was chosen: {said['sentence'].rstrip('.') if said else shown}"
