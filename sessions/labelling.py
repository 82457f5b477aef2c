"""The changes that a person makes at the labels of a plan, row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from sessions.specification.quoting import change

NEW, DROP = "label_new", "label_drop"  # a box for each label of the plan in its order; the places ticked
ROOM = 70  # characters of a label, so that a number still fits


def relabelled(form: Mapping[str, Sequence[str]], body: Mapping[str, Any], standing: str) -> str:
    """The field `label_changes` as it would be typed: what stands, then what the rows say."""
    labels = body.get("labels", {}).get("set", ())
    fresh = [change(old, new) for old, new in in_turn(changes(form, labels), labels)]
    return "; ".join(filter(None, [standing, *fresh]))


def changes(form: Mapping[str, Sequence[str]], labels: Sequence[str]) -> dict[str, str]:
    """The new name by label, empty where it is dropped; a tick to drop goes before a new name."""
    dropped = set(form.get(DROP, ()))
    names = [*form.get(NEW, ()), *[""] * len(labels)]
    wanted = {
        label: "" if str(place) in dropped else " ".join(names[place].split()) or label
        for place, label in enumerate(labels)
    }
    return {label: new for label, new in wanted.items() if new != label}


def in_turn(wanted: Mapping[str, str], labels: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wanted at once, in an order in which each change may follow the other: a label makes room
    before another takes its name. Labels that change places do so by way of a name that nobody has."""
    left = dict(wanted)
    while left:
        free = [old for old, new in left.items() if new not in left]
        for old in free:
            yield old, left.pop(old)
        if not free:
            old = in_a_round(left)
            aside = unused(old, {*labels, *wanted.values()})
            yield old, aside
            left[aside] = left.pop(old)


def in_a_round(left: Mapping[str, str]) -> str:
    """A label of those that change places, where every new name is one of `left`."""
    label = next(iter(left))
    for _ in left:
        label = left[label]
    return label


def unused(label: str, names: Collection[str]) -> str:
    """`label (2)`, or the next number that no label has."""
    return next(name for number in count(2) if (name := f"{label[:ROOM]} ({number})") not in names)
