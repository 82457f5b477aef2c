"""What one model answered to the held-out rows, as it was read, and whether that is enough to measure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from workflows.answers import Subject
from workflows.metrics.intervals import Floats
from workflows.outcomes import Failure
from workflows.phases.classification import asking
from workflows.work import Work

ENOUGH = (
    0.9  # of the rows that a model must answer: with fewer its figures are of other rows than those asked
)
CUT = "length"  # the finish reason of an answer that ended at the limit of tokens
Label = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Read:
    """What one model answered: the rows of the held-out file, their right labels, and what it said by either
    rule. None: outside the set. Rows that Fireworks refused are in `refused` alone: nothing was measured
    there. `cut` counts answers that ended at the limit of tokens."""

    rows: list[int]
    right: list[Label]
    said: list[Label | None]
    strict: list[Label | None]
    refused: dict[int, str]  # by row, in Fireworks' words
    cut: int = 0

    @property
    def asked(self) -> int:
        """Rows that were put to the model."""
        return len(self.rows) + len(self.refused)

    @property
    def is_enough(self) -> bool:
        """Whether it answered enough of the rows to be measured."""
        return len(self.rows) >= ENOUGH * self.asked and bool(self.rows)

    @cached_property
    def hits(self) -> Floats:
        """1 where a row is answered rightly, else 0; shape (rows,)."""
        return self._hits(self.said)

    @cached_property
    def strict_hits(self) -> Floats:
        """The same by the strict rule."""
        return self._hits(self.strict)

    def _hits(self, said: Sequence[Label | None]) -> Floats:
        pairs = zip(self.right, said, strict=True)
        return np.array(
            [other is not None and set(right) == set(other) for right, other in pairs], dtype=float
        )


def read(work: Work, subject: Subject) -> Read:
    """What a model answered."""
    columns = ("row", "result", "error", "detail__finish_reason")
    found = list(asking.answers(work.session, subject.key).values_list(*columns))
    answered = [each for each in found if not each[2]]
    return Read(
        [row for row, *_ in answered],
        [tuple(result["right"]) for _, result, *_ in answered],
        [label_of(result, "labels") for _, result, *_ in answered],
        [label_of(result, "strict") for _, result, *_ in answered],
        {row: error for row, _, error, _ in found if error},
        sum(reason == CUT for *_, reason in answered),
    )


def label_of(result: Mapping[str, Any], rule: str) -> Label | None:
    """The labels of an answer by one rule; None: outside the set."""
    found = result[rule]
    return None if found is None else tuple(found)


def thin(work: Work, subjects: Sequence[Subject]) -> dict[str, str]:
    """By their keys the models that answered too few rows to be measured, with a sentence."""
    found = ((each, read(work, each)) for each in subjects)
    return {
        each.key: f"{each.label} answered {len(got.rows):,} of {got.asked:,} rows, too few to be measured: "
        f"Fireworks refused the others."
        for each, got in found
        if not got.is_enough
    }


def not_measured(work: Work, subject: Subject, sentence: str) -> Failure:
    """The failure of a session that cannot go on without this model."""
    refused = read(work, subject).refused
    return Failure(
        "platform",
        sentence,
        "Shorten rows that are too long, or leave this model out, and start again.",
        next(iter(refused.values()), ""),
    )
