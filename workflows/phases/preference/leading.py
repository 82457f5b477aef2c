"""Who of the best few leads: their direct comparisons decide where they are clear, else their numbers do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from sessions.models import Candidate, Evaluation, TuningSession
from workflows.metrics import words
from workflows.metrics.intervals import Estimate
from workflows.phases.preference.judging import WIN_RATE

BEST = 3  # so many are compared with each other
CLEAR, UNCLEAR, WORSE = "clear", "unclear", "worse"


def duels(ranking: Sequence[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """Who is compared with whom directly: the best few, each with each."""
    return list(combinations(ranking[:BEST], 2))


def most_duels(candidates: int) -> int:
    """How many direct comparisons so many candidates come to."""
    return len(list(combinations(range(min(BEST, candidates)), 2)))


def estimate(found: Evaluation) -> Estimate:
    """A stored number as the metrics have it."""
    return Estimate(found.value, found.rows, found.low, found.high, str(found.provenance.get("interval", "")))


def direct(session: TuningSession, one: Candidate, other: Candidate) -> Estimate | None:
    """The win rate of one tuned model against another. They were compared from one side only: seen from the
    other, it is the rest to 1."""
    for subject, rival, turned in ((one, other, False), (other, one, True)):
        metric = f"{WIN_RATE}:{rival.subject}"
        found = Evaluation.objects.filter(
            session=session, subject=subject.subject, metric=metric, rows__gt=0
        ).first()
        if found:
            return from_the_other_side(estimate(found)) if turned else estimate(found)
    return None


def from_the_other_side(found: Estimate) -> Estimate:
    """A win rate as the one who was compared with sees it."""
    low, high = (None if end is None else 1 - end for end in (found.high, found.low))
    return Estimate(1 - found.value, found.rows, low, high, found.method, found.level)


def beats(session: TuningSession, one: Candidate, other: Candidate) -> str:
    """Whether one is clearly better than the other directly, clearly worse, or neither."""
    found = direct(session, one, other)
    if found is None or found.holds(0.5):
        return UNCLEAR
    return CLEAR if found.value > 0.5 else WORSE


def leader(session: TuningSession, ranking: Sequence[Candidate]) -> tuple[Candidate, str]:
    """Who is suggested, and why where it is not simply the one with the best number.

    One that a rival beats clearly does not lead while there is one that none beats. Where the best have
    several base models, what they won against each other goes before what each won against its own."""
    best = ranking[:BEST]
    wins = [pair for one, other in duels(best) for pair in ((one, other), (other, one))
            if beats(session, *pair) == CLEAR]  # fmt: skip
    lost = {loser.number for _, loser in wins}
    unbeaten = [each for each in best if each.number not in lost]
    if not unbeaten:
        return best[0], (
            f"The best {len(best)} beat each other in a circle: {told(session, wins)}. Nothing speaks "
            "clearly for one, and the one with the best number is suggested."
        )
    if len({each.base_model for each in best}) > 1:
        unbeaten.sort(key=lambda each: -standing(session, each, best))
    first = unbeaten[0]
    if first == best[0]:
        return first, ""
    why = f"{best[0].label} has the best number against its base model"
    if wins:
        return (
            first,
            f"{why}, but directly {told(session, wins)}. Nobody beats {first.label.lower()} clearly.",
        )
    return first, f"{why}, but {first.label.lower()} did better against the others directly."


def standing(session: TuningSession, candidate: Candidate, best: Sequence[Candidate]) -> float:
    """The mean win rate against the others; a half where nobody was met."""
    met = [direct(session, candidate, other) for other in best if other != candidate]
    return fmean([each.value for each in met if each] or [0.5])


def told(session: TuningSession, wins: Sequence[tuple[Candidate, Candidate]]) -> str:
    """Clear direct wins in words."""
    return "; ".join(
        f"{one.label.lower()} beats {other.label.lower()} with {words.interval(found, is_share=True)}"
        for one, other in wins
        if (found := direct(session, one, other))
    )
