"""Two sources for one value, and two revisions of one plan: what wins, and what changed."""

from __future__ import annotations

from collections.abc import Mapping

from sessions.specification.entries import Entry, Origin, Specification
from sessions.specification.fields import FIELDS, show


def combine(
    reading: Mapping[str, Entry], form: Mapping[str, Entry] | None = None
) -> tuple[Specification, list[str]]:
    """One specification from an instruction and a form, and a sentence for every disagreement.

    The instruction wins over the form, and either over a default (product row 1.4). The workflow is
    always there, since everything else hangs on it.
    """
    form = form or {}
    merged = {"workflow": Entry(FIELDS["workflow"].default, Origin.DEFAULT), **form, **reading}
    conflicts = [
        _said(name, entry, form.get(name))
        for name, entry in reading.items()
        if _disagrees(name, entry, form.get(name))
    ]
    return Specification({name: merged[name] for name in FIELDS if name in merged}), conflicts


def _disagrees(name: str, entry: Entry, chosen: Entry | None) -> bool:
    if chosen is not None:
        return bool(chosen.value != entry.value)
    default = FIELDS[name].default
    return default is not None and bool(entry.value != default)


def _said(name: str, entry: Entry, chosen: Entry | None) -> str:
    said = f"{FIELDS[name].label}: the instruction says {show(name, entry.value)}"
    if chosen is None:
        return f"{said}, the default is {show(name, FIELDS[name].default)}. The instruction wins."
    return f"{said}, the form {show(name, chosen.value)}. The instruction wins."


def differences(old: Specification, new: Specification) -> list[str]:
    """What changed from one plan revision to the next, one plain line a field, in the fields' order."""
    lines = []
    for name, field in FIELDS.items():
        before, after = old.value(name), new.value(name)
        if before != after:
            lines.append(f"{field.label}: {show(name, before)} became {show(name, after)}.")
    return lines
