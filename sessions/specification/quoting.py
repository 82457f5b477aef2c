"""One rule for lists of labels as text, in form, sentence and gate: a label that holds a sign which ends it
stands in quotation marks, those inside it doubled, as in CSV."""

from __future__ import annotations

import re
from collections.abc import Sequence

MARKS = '"“”„'
ARROW = re.compile(r"\s*(?:->|→|=>)\s*")
QUOTED = re.compile(rf"[{MARKS}]((?:[^{MARKS}]|([{MARKS}])\2)*)[{MARKS}](?![{MARKS}])")
DOUBLED = re.compile(rf"([{MARKS}])\1")
UNSAFE = re.compile(rf"[,;\r\n{MARKS}]|->|→|=>|^drop\s", re.IGNORECASE)
DROP = re.compile(r"drop\s+", re.IGNORECASE)


def doubled(label: str) -> str:
    """A label as it stands between quotation marks."""
    return re.sub(rf"([{MARKS}])", r"\1\1", label)


def quote(label: str) -> str:
    """A label as it stands in a list; in quotation marks only where that is needed."""
    return f'"{doubled(label)}"' if UNSAFE.search(label) else label


def unquote(text: str) -> str:
    """The label that a part of a list names. Marks that are not a pair around all of it do not count."""
    found = QUOTED.fullmatch(text.strip())
    return DOUBLED.sub(r"\1", found[1]) if found else re.sub(f"[{MARKS}]", "", text).strip()


def listed(labels: Sequence[str]) -> str:
    """Labels as one text, which `parts` reads back."""
    return ", ".join(map(quote, labels))


def parts(text: str, apart: re.Pattern[str], most: int = 0) -> list[str]:
    """The text cut at `apart` outside quotation marks; `most`: so many cuts at the most, 0 for any number."""
    found: list[str] = []
    start, at, opens = 0, 0, True  # `opens`: a quotation may begin here
    while at < len(text):
        if opens and (quoted := QUOTED.match(text, at)):
            at, opens = quoted.end(), False
        elif (cut := apart.match(text, at)) and not (most and len(found) == most):
            found.append(text[start:at])
            start, at, opens = cut.end(), cut.end(), True
        elif sign := ARROW.match(text, at) or (DROP.match(text, at) if opens else None):
            at, opens = sign.end(), True
        else:
            opens = opens and text[at].isspace()
            at += 1
    return [*found, text[start:]]


def change(old: str, new: str = "") -> str:
    """One change of a label as it is kept: `old -> new`; `old ->` drops the label."""
    return f"{quote(old)} -> {quote(new)}".rstrip()


def sides(text: str) -> tuple[str, str]:
    """The label of a change and its new name, empty where it is dropped; both are empty where it is none."""
    old, *new = parts(text.strip(), ARROW, most=1)
    if new:
        return unquote(old), unquote(new[0])
    drop = DROP.match(old)
    return (unquote(old[drop.end() :]), "") if drop else ("", "")
