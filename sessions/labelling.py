"""The changes that a person makes at the labels of a plan, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sessions.specification.quoting import change

NEW, DROP = "label_new", "label_drop"  # a box for each label of the plan in its order; the places ticked


def relabelled(form: Mapping[str, Sequence[str]], body: Mapping[str, Any], standing: str) -> str:
    """The field `label_changes` as it would be typed: what stands, then what the rows say."""
    fresh = list(changes(form, body.get("labels", {}).get("set", ())))
    return "; ".join(filter(None, [standing, *fresh]))


def changes(form: Mapping[str, Sequence[str]], labels: Sequence[str]) -> Iterator[str]:
    """A change for each row that says one; a tick to drop goes before a new name."""
    dropped = set(form.get(DROP, ()))
    names = [*form.get(NEW, ()), *[""] * len(labels)]
    for place, label in enumerate(labels):
        new = " ".join(names[place].split())
        if str(place) in dropped:
            yield change(label)
        elif new and new != label:
            yield change(label, new)
