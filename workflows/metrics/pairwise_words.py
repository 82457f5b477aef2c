"""What a pairwise comparison came to and what to know of its judge, in words."""

from __future__ import annotations

from workflows.metrics import words
from workflows.metrics.intervals import Estimate
from workflows.metrics.pairwise import UNSTEADY, Lengths, Pairwise


def sentences(found: Pairwise, subject: str, baseline: str) -> list[str]:
    """The result first, then what to know of the judge: each a sentence that a person can act on."""
    if found.win_rate is None:
        return ["No row has two valid verdicts: look at the judge's answers, or choose another judge."]
    said = [_result(found, found.win_rate, subject, baseline)]
    if found.invalid_rows:
        asked = words.rows(found.rows + found.invalid_rows)
        said.append(f"{found.invalid_rows:,} of {asked} lack a valid verdict in some order and are left out.")
    return said + _habits(found)


def _result(found: Pairwise, rate: Estimate, subject: str, baseline: str) -> str:
    shown = words.interval(rate, is_share=True)
    counts = f"{found.wins:,} won, {found.ties:,} tied, {found.losses:,} lost"
    if found.is_clear:
        side = "above" if rate.value > 0.5 else "below"
        return f"{subject} against {baseline}: win rate {shown}; {counts}. Clearly {side} 50%."
    needed = found.rows_needed or 0
    more = f" If it is real, it takes {words.forecast(needed)} to show it." if needed > found.rows else ""
    return f"{subject} against {baseline}: win rate {shown}; {counts}. Within noise of 50%.{more}"


def _habits(found: Pairwise) -> list[str]:
    said = []
    if found.flip_rate and found.flip_rate.value > UNSTEADY:
        share = words.figure(found.flip_rate.value, is_share=True)
        said.append(
            f"The order of the answers decided {share} of the rows, which count as ties: "
            "a stronger judge would settle more of them."
        )
    if found.first_preference and not found.first_preference.holds(0.5):
        place = "first" if found.first_preference.value > 0.5 else "second"
        said.append(f"The judge leans to the answer shown {place}.")
    if not found.is_steady:
        low, high = (words.figure(end, is_share=True) for end in found.possible)
        said.append(
            f"Had the rows that the order decided all gone one way, the win rate would be {low} or {high}: "
            "the interval takes that in."
        )
    if found.lengths and found.lengths.longer and not found.lengths.longer.holds(0.5):
        said.append(_length_habit(found.lengths, found.lengths.longer.value))
    return said


def _length_habit(lengths: Lengths, longer: float) -> str:
    side, share = ("longer", longer) if longer > 0.5 else ("shorter", 1 - longer)
    return (
        f"The {side} answer won {words.figure(share, is_share=True)} of the decided rows "
        f"({lengths.winner_words:,.0f} words on average against {lengths.loser_words:,.0f}). "
        f"Read some, to see whether it is better or only {side}."
    )
