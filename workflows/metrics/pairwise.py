"""Win rates from a judge that was asked in both orders, with what its order and length habits were.

A row counts as won when both orders say so, as lost when both say so, else as a tie: a judge that follows
the order wins nothing for anyone. That settles no row that the order decided. Where such rows lie on one side
more than on the other (many narrow wins against few wide losses), counting them as ties moves the win rate,
and nothing in the verdicts tells by how much. So where a judge leans to a place, or the order decides many
rows, the interval takes in all that these rows could have come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean

import numpy as np

from workflows.metrics.intervals import Estimate, wilson
from workflows.metrics.power import rows_needed
from workflows.metrics.win_rates import win_rate

WIN, TIE, LOSS = 1, 0, -1
WIDENED = "widened by the rows that the order decided"
UNSTEADY = 0.25  # share of rows decided by the order from which nothing clear is said of any judge


class Pick(StrEnum):
    """What a judge said of two answers, by the order in which they were shown."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Judged:
    """One row: what was said with the subject's answer first (`forward`), and with it second (`backward`)."""

    subject: str
    baseline: str
    forward: Pick
    backward: Pick

    @property
    def picks(self) -> tuple[Pick, Pick]:
        return self.forward, self.backward

    @property
    def is_valid(self) -> bool:
        return Pick.INVALID not in self.picks

    @property
    def outcome(self) -> int:
        """1 when both orders prefer the subject, -1 when both prefer the baseline, else 0."""
        return {(Pick.FIRST, Pick.SECOND): WIN, (Pick.SECOND, Pick.FIRST): LOSS}.get(self.picks, TIE)

    @property
    def leaning(self) -> int:
        """1 when the order moved the verdict towards the answer shown first, -1 towards the second, 0 when it
        moved nothing: then the orders mirror each other."""
        first, second = (self.picks.count(pick) for pick in (Pick.FIRST, Pick.SECOND))
        return (first > second) - (first < second)


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long answers are, over rows that one side won: means of the winners and of the losers."""

    winner_characters: float
    loser_characters: float
    winner_words: float
    loser_words: float
    longer: Estimate | None  # share won by the answer of more characters; None where all are equally long


@dataclass(frozen=True, slots=True)
class Words:
    """How many words each side's answers have: means over the rows with two valid verdicts."""

    subject: float
    baseline: float


@dataclass(frozen=True, slots=True)
class Pairwise:
    """A subject against a baseline. Rows with an invalid verdict are counted and rest nowhere else."""

    wins: int
    ties: int
    losses: int
    invalid_rows: int
    invalid_verdicts: int
    win_rate: Estimate | None  # None without a valid row, like the three below
    flip_rate: Estimate | None  # share of rows in which the order changed the verdict
    first_preference: Estimate | None  # of rows moved to the place shown first, others half; 0.5 is none
    words: Words | None
    lengths: Lengths | None  # None when no row was won or lost
    rows_needed: int | None  # to tell the win rate from 50 %; None once it is told, or when it is 50 %

    @property
    def rows(self) -> int:
        return self.wins + self.ties + self.losses

    @property
    def is_steady(self) -> bool:
        """Whether the order moved few rows, and as often to one place as to the other."""
        if self.flip_rate is None or self.first_preference is None:
            return True
        return self.flip_rate.value <= UNSTEADY and self.first_preference.holds(0.5)

    @property
    def possible(self) -> tuple[float, float]:
        """The win rate with all rows that the order decided lost, and with all of them won."""
        unsettled = round(self.flip_rate.value * self.rows) if self.flip_rate else 0
        least = (self.wins + (self.ties - unsettled) / 2) / self.rows
        return least, least + unsettled / self.rows

    @property
    def is_clear(self) -> bool:
        """Whether the interval lies on one side of 50 %."""
        return self.win_rate is not None and not self.win_rate.holds(0.5)


def summarize(rows: Sequence[Judged]) -> Pairwise:
    """What the verdicts of all rows come to."""
    valid = [row for row in rows if row.is_valid]
    outcomes = np.array([row.outcome for row in valid], dtype=float)
    wins, losses = int((outcomes == WIN).sum()), int((outcomes == LOSS).sum())
    to_first, to_second = (sum(row.leaning == side for row in valid) for side in (1, -1))
    rate = win_rate(wins, losses, len(valid)) if valid else None
    found = Pairwise(
        wins=wins,
        ties=len(valid) - wins - losses,
        losses=losses,
        invalid_rows=len(rows) - len(valid),
        invalid_verdicts=sum(pick == Pick.INVALID for row in rows for pick in row.picks),
        win_rate=rate,
        flip_rate=wilson(to_first + to_second, len(valid)) if valid else None,
        first_preference=win_rate(to_first, to_second, len(valid)) if valid else None,
        words=_words(valid),
        lengths=_lengths(valid),
        rows_needed=rows_needed(outcomes) if rate and rate.holds(0.5) else None,
    )
    return found if rate is None or found.is_steady else _widened(found, rate)


def _widened(found: Pairwise, rate: Estimate) -> Pairwise:
    """The same with an interval that holds whatever the order hid; more rows would not narrow that."""
    low, high = found.possible
    wide = replace(
        rate,
        low=min(low, rate.low or 0.0),
        high=max(high, 1.0 if rate.high is None else rate.high),
        method=f"{rate.method}; {WIDENED}",
    )
    return replace(found, win_rate=wide, rows_needed=None)


def _words(rows: Sequence[Judged]) -> Words | None:
    if not rows:
        return None
    subject, baseline = (
        fmean(len(text.split()) for text in texts)
        for texts in zip(*((row.subject, row.baseline) for row in rows), strict=True)
    )
    return Words(subject, baseline)


def _lengths(rows: Iterable[Judged]) -> Lengths | None:
    ordered = [
        (row.subject, row.baseline) if row.outcome == WIN else (row.baseline, row.subject)
        for row in rows
        if row.outcome != TIE
    ]
    if not ordered:
        return None
    longer = [len(winner) > len(loser) for winner, loser in ordered if len(winner) != len(loser)]
    return Lengths(
        winner_characters=fmean(len(winner) for winner, _ in ordered),
        loser_characters=fmean(len(loser) for _, loser in ordered),
        winner_words=fmean(len(winner.split()) for winner, _ in ordered),
        loser_words=fmean(len(loser.split()) for _, loser in ordered),
        longer=wilson(sum(longer), len(longer)) if longer else None,
    )
