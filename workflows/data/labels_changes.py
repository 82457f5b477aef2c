"""What a person's changes make of the labels as written: renamed, merged, dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sessions.specification.quoting import sides

from .labels_extraction import key


def renamed(names: Iterable[str], changes: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """What each label as written is called after the changes, one after the other (empty: dropped), and the
    changes that met no label.

    A change is of the label that is written as it says; where there is none, of those that differ from it
    only by case or spaces.
    """
    made, idle = {name: name for name in names}, []
    for change in changes:
        old, new = sides(change)
        there = set(made.values()) - {""}
        meant = {old} & there or {now for now in there if key(now) == key(old)}
        made = {name: new if now in meant else now for name, now in made.items()}
        if not meant:
            idle.append(change)
    return made, idle
