"""What pairs say about their own quality, before anything is trained on them.

Length: annotators and judges tend to prefer the longer answer, and a model tuned on such pairs learns to be
long (Singhal et al. 2023, "A Long Way to Go: Investigating Length Correlations in RLHF"; Park et al. 2024,
"Disentangling Length from Quality in Direct Preference Optimization"). So the share of pairs whose
preferred answer is longer is told, with its interval, and by how much.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workflows.metrics.intervals import wilson

from ..problems import ERROR, Problem
from .scan import Kept, numbers
from .wording import CONTRADICTS, PAIR_REMEDIES


@dataclass(frozen=True, slots=True)
class Lengths:
    """The preferred answers against the others. `longer`, `shorter` and `equal` are pairs; `share` is longer
    over longer and shorter, between `low` and `high` (95 %, Wilson); `characters` is the median of preferred
    minus other, `ratio` the median of preferred over other."""

    longer: int
    shorter: int
    equal: int
    share: float
    low: float
    high: float
    characters: float
    ratio: float

    @property
    def biased(self) -> bool:
        """Whether chance alone does not explain that one side is longer."""
        return self.longer + self.shorter > 0 and not self.low <= 0.5 <= self.high


@dataclass(frozen=True, slots=True)
class Lint:
    """Usable rows and distinct prompts; `copies` are pairs that repeat an earlier one, `contradictory` those
    that another pair of their prompt says the other way round; `lengths` is None without pairs."""

    rows: int
    prompts: int
    copies: int = 0
    contradictory: int = 0
    lengths: Lengths | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        found = asdict(self)
        if self.lengths:
            found["lengths"]["biased"] = self.lengths.biased
        return found


def lint(kept: Kept) -> Lint:
    """Look at all usable rows of a file."""
    groups = kept.groups() if len(kept) else np.zeros(0, dtype=np.int64)
    prompts = int(groups.max(initial=-1)) + 1
    if not kept.pairs:
        return Lint(len(kept), prompts)
    wrong = kept.contradictory()
    pairs = numbers(kept.pairs)[~wrong]
    copies = pairs.size - np.unique(pairs).size
    usable = int(pairs.size)
    return Lint(usable, prompts, int(copies), int(wrong.sum()), _lengths(kept, ~wrong) if usable else None)


def _lengths(kept: Kept, usable: Any) -> Lengths:
    preferred, other = numbers(kept.preferred)[usable], numbers(kept.other)[usable]
    difference = preferred - other
    longer, shorter = int((difference > 0).sum()), int((difference < 0).sum())
    told = longer + shorter
    share = wilson(longer, told) if told else None
    return Lengths(
        longer=longer,
        shorter=shorter,
        equal=int(difference.size - told),
        share=share.value if share else 0.5,
        low=(share and share.low) or 0.0,
        high=1.0 if share is None or share.high is None else share.high,
        characters=float(np.median(difference)),
        ratio=float(np.median(preferred / np.maximum(other, 1))),
    )


def contradictions(kept: Kept) -> Iterator[Problem]:
    """A problem for each pair that another one contradicts, naming the first such line."""
    if not kept.pairs:
        return
    pairs, opposites = numbers(kept.pairs), numbers(kept.opposites)
    first: dict[int, int] = {}
    wrong = np.flatnonzero(kept.contradictory()).tolist()
    for row in wrong:
        first.setdefault(int(pairs[row]), kept.lines[row])
    for row in wrong:
        line = first[int(opposites[row])]
        message = f"line {line:,} prefers the other answer to the same prompt"
        yield Problem(kept.lines[row], "", CONTRADICTS, message, PAIR_REMEDIES[CONTRADICTS], level=ERROR)
