"""Drawing a part of labelled rows so that every label keeps its share of it.

Iterative stratification (Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data",
ECML PKDD 2011): the rarest label still open is placed first, each of its rows where that label is wanted
most. With one label a row this is the usual stratified split. Ties fall by the seeded hash of what is asked,
so the same rows and seed give the same part. Rows of equal conversations stay together: none stands on both
sides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .labels import Labelled

REST, PART = 0, 1


@dataclass(slots=True)
class _Group:
    """Rows of equal conversations, by their place, and all their labels."""

    places: list[int]
    labels: tuple[str, ...]
    side: int = -1


def draw(rows: Sequence[Labelled], wanted: int, *, every_label: bool = True) -> list[bool]:
    """Which rows belong to a part of about `wanted` rows.

    With `every_label` each label that two different conversations carry is on both sides, even when its share
    would round to none; the part may then be a little larger or smaller than `wanted`. Raises ValueError
    when `wanted` is not from 0 to the number of rows.
    """
    if not 0 <= wanted <= len(rows):
        raise ValueError(f"{wanted} of {len(rows)} rows cannot be drawn")
    groups = _groups(rows)
    lacking = _place(groups, wanted / len(rows) if rows else 0.0)
    _fit(groups, wanted, lacking)
    if every_label and 0 < wanted < len(rows):
        _mend(groups)
    taken = [False] * len(rows)
    for group in groups:
        for place in group.places:
            taken[place] = group.side == PART
    return taken


def _groups(rows: Sequence[Labelled]) -> list[_Group]:
    """Groups of equal conversations in the order of their hashes."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        places[row.digest].append(place)
    return [
        _Group(places[digest], tuple(sorted({each for at in places[digest] for each in rows[at].labels})))
        for digest in sorted(places)
    ]


def _place(groups: Sequence[_Group], share: float) -> list[Counter[str]]:
    """Give every group a side; how many rows of each label the sides still lack, below 0 where they have more
    than their share."""
    shares = (1 - share, share)
    sizes = Counter(label for group in groups for label in group.labels for _ in group.places)
    open_rows = Counter(sizes)
    wanted = [Counter({label: each * count for label, count in sizes.items()}) for each in shares]
    whole = [each * sum(len(group.places) for group in groups) for each in shares]
    # How short of its size a side is, as a share of it: the paper's tie-break would starve the smaller one.
    short = [1.0, 1.0]
    by_label: dict[str, list[_Group]] = defaultdict(list)
    for group in groups:
        for label in group.labels:
            by_label[label].append(group)
    while open_rows:
        rarest = min(open_rows, key=lambda label: (open_rows[label], label))
        for group in by_label[rarest]:
            if group.side >= 0:
                continue
            group.side = max((REST, PART), key=lambda side: (wanted[side][rarest], short[side], -side))
            size = len(group.places)
            short[group.side] -= size / max(1.0, whole[group.side])
            for label in group.labels:
                wanted[group.side][label] -= size
                open_rows[label] -= size
        open_rows = +open_rows
        open_rows.pop(rarest, None)
    return wanted


def _fit(groups: Sequence[_Group], wanted: int, lacking: Sequence[Counter[str]]) -> None:
    """Make the part as large as it is wanted: with many labels the rounding of each adds up. Labels that the
    shorter side lacks most give a row each, round by round; none gives its last
    one, and no row with several labels is given."""
    surplus = sum(len(group.places) for group in groups if group.side == PART) - wanted
    giving, taking = (PART, REST) if surplus > 0 else (REST, PART)
    free: dict[str, list[_Group]] = defaultdict(list)
    for group in reversed(groups):
        if group.side == giving and len(group.places) == len(group.labels) == 1:
            free[group.labels[0]].append(group)
    left, carried = abs(surplus), _carried(group for group in groups if group.side == giving)
    order = sorted(free, key=lambda label: (-lacking[taking][label], label))
    while left and any(free.values()):
        for label in order:
            if left and free[label] and carried[label] > 1:
                free[label].pop().side = taking
                carried[label] -= 1
                left -= 1
            elif carried[label] <= 1:
                free[label].clear()


def _mend(groups: Sequence[_Group]) -> None:
    """Bring labels that one side lacks to it, where no other label is lost by that."""
    sides = [_carried(each for each in groups if each.side == side) for side in (REST, PART)]
    for needy in (REST, PART):
        for label in sorted((sides[0] | sides[1]).keys() - sides[needy].keys()):
            other = 1 - needy
            free = (
                group
                for group in groups
                if group.side == other
                and label in group.labels
                and all(sides[other][each] > 1 for each in group.labels)
            )
            chosen = next(free, None)
            if chosen is None:
                continue
            chosen.side = needy
            sides[other].subtract(chosen.labels)
            sides[needy].update(chosen.labels)


def _carried(groups: Iterable[_Group]) -> Counter[str]:
    """How many groups carry each label."""
    return Counter(label for group in groups for label in group.labels)
