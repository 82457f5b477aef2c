"""Which candidate is suggested, by which rule, and how sure that is."""

from __future__ import annotations

from typing import Any

from sessions.models import Candidate
from sessions.scoreboard import ABOUT_EQUAL


def proposal(done: list[Candidate], heldout_rows: int) -> dict[str, Any]:
    """What the promotion gate shows. Candidates without a validation loss are ranked last."""
    ranking = sorted(
        done, key=lambda each: (each.validation_loss is None, each.validation_loss or 0.0, each.number)
    )
    return {
        "suggested": ranking[0].number,
        "rule": f"Lowest validation loss on the {heldout_rows:,} held-out rows.",
        "certainty": certainty(ranking),
        "ranking": [{"number": each.number, "value": each.validation_loss} for each in ranking],
    }


def certainty(ranking: list[Candidate]) -> str:
    """How clear the lead is, in words. Fireworks reports one mean per candidate and no spread, so no
    interval can be worked out; the difference is given as it is."""
    best = ranking[0].validation_loss
    if best is None:
        return (
            "No validation loss was reported, so the first candidate is suggested and nothing speaks for it."
        )
    if len(ranking) == 1 or ranking[1].validation_loss is None:
        return "There is no other candidate to compare with."
    second = ranking[1].validation_loss
    margin = (second - best) / second if second else 0.0
    lead = f"{margin:.1%} lower than candidate {ranking[1].number}"
    if margin < ABOUT_EQUAL:
        return f"Within noise: only {lead}, so either may be the better one."
    return f"The loss is {lead}. Fireworks reports one mean a candidate, so chance cannot be ruled out."
