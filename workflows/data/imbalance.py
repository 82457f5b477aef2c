"""How uneven the labels of a training file are, and what can be done to the file about it.

The ratio is that of the most frequent to the least frequent label; labels without a row are told apart and do
not count. A remedy changes the training rows alone, never the rows that are measured on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from .labels import Labelled
from .labels_extraction import key

EVEN = 10.0  # the ratio that repeating and capping aim at
MOST_COPIES = 20  # of one row: more would be learned by heart
LEAST_CAP = 50  # rows that a capped label keeps in any case
LIGHTEST, HEAVIEST = 0.1, 10.0  # bounds of a row's weight
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Balanced:
    """What becomes of each row: how often it stands in the file (0: left out), and with which weight.

    `weights` is None where none are written: the API wants one on every row or on none.
    """

    copies: list[int]
    weights: list[float] | None = None


def ratio(counts: Counter[str]) -> float:
    """Most frequent over least frequent label; 1.0 for fewer than two labels."""
    there = [count for count in counts.values() if count]
    return max(there) / min(there) if len(there) > 1 else 1.0


def rare(counts: Counter[str], threshold: float) -> list[str]:
    """Labels so rare that the ratio passes the threshold because of them, the rarest first."""
    most = max(counts.values(), default=0)
    few = [label for label, count in counts.items() if count and most / count > threshold]
    return sorted(few, key=lambda label: (counts[label], label))


def without_rare(counts: Counter[str], threshold: float, *, merge: bool) -> dict[str, str]:
    """New names of the rare labels: the empty text drops them, or all become one label `other`, in the
    spelling that the data have of it."""
    own = sorted((label for label in counts if key(label) == OTHER), key=lambda each: (each != OTHER, each))
    return dict.fromkeys(rare(counts, threshold), (own or [OTHER])[0] if merge else "")


def balanced(rows: Sequence[Labelled], remedy: str) -> Balanced:
    """The training rows under a remedy: repeat, cap, weight, or as they are for any other word."""
    counts = Counter(each for row in rows for each in row.labels)
    made = {"repeat": repeated, "cap": capped, "weight": weighted}.get(remedy)
    return made(rows, counts) if made and counts else Balanced([1] * len(rows))


def repeated(rows: Sequence[Labelled], counts: Counter[str]) -> Balanced:
    """Rows of rare labels stand several times, until each label has a tenth of the most frequent one."""
    wanted = max(counts.values()) / EVEN
    times = {label: min(MOST_COPIES, max(1, ceil(wanted / count))) for label, count in counts.items()}
    return Balanced([max(times[each] for each in row.labels) for row in rows])


def capped(rows: Sequence[Labelled], counts: Counter[str]) -> Balanced:
    """Frequent labels keep ten times as many rows as the rarest has, at least 50, drawn by their hash.

    A row stays while one of its labels has room.
    """
    limit = max(LEAST_CAP, int(EVEN * min(counts.values())))
    kept: Counter[str] = Counter()
    copies = [0] * len(rows)
    for place in sorted(range(len(rows)), key=lambda at: (rows[at].digest, at)):
        if any(kept[each] < limit for each in rows[place].labels):
            copies[place] = 1
            kept.update(rows[place].labels)
    return Balanced(copies)


def weighted(rows: Sequence[Labelled], counts: Counter[str]) -> Balanced:
    """Every label weighs the same in sum: a row's weight falls with its label's count, within bounds.

    The row field `weight` of the API (facts sheet 2), which must then be on every row; their mean is 1 before
    the bounds are kept.
    """
    even = sum(counts.values()) / len(counts)
    raw = [sum(even / counts[each] for each in row.labels) / len(row.labels) for row in rows]
    mean = sum(raw) / len(raw)
    return Balanced([1] * len(rows), [round(min(HEAVIEST, max(LIGHTEST, each / mean)), 4) for each in raw])


def ratio_after(rows: Sequence[Labelled], made: Balanced) -> float:
    """The ratio in the file that is written, each row counted by its weight."""
    sums: dict[str, float] = {}
    for place, row in enumerate(rows):
        worth = made.copies[place] * (made.weights[place] if made.weights else 1.0)
        for label in row.labels:
            sums[label] = sums.get(label, 0.0) + worth
    there = [each for each in sums.values() if each]
    return max(there) / min(there) if len(there) > 1 else 1.0
