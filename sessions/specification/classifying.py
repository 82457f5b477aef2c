"""Kinds of values that classification alone has: changes of labels, remedies for imbalance, the prompt."""

from __future__ import annotations

import re
from typing import Any

from sessions.specification.entries import FieldError
from sessions.specification.measures import LONGEST_LABEL, Listed
from sessions.specification.quoting import change, sides
from sessions.specification.values import Text

LONGEST_PROMPT = 4_000
PARTS = re.compile(r"[;\r\n]+")
BALANCES = {
    "none": "leave the rows as they are",
    "repeat": "repeat rows of rare labels",
    "cap": "use fewer rows of frequent labels",
    "weight": "weight the samples",
    "drop": "drop the rare labels",
    "merge": "merge the rare labels into “other”",
}


def _change(name: str, value: str, _context: Any) -> str:
    old, new = (" ".join(each.split()) for each in sides(value))
    if not old:
        raise FieldError(
            name, f"“{value.strip()[:40]}” is no change of a label.", "Write `old -> new`, or `drop old`."
        )
    if len(old) > LONGEST_LABEL or len(new) > LONGEST_LABEL:
        raise FieldError(name, "A label is too long.", f"Use {LONGEST_LABEL} characters at the most.")
    return change(old, new)


def _balance(name: str, value: str, _context: Any) -> str:
    if value not in BALANCES:
        raise FieldError(name, f"“{value}” is no remedy here.", f"Use one of: {', '.join(BALANCES)}.")
    return value


def _prompt(name: str, value: str, _context: Any) -> str:
    text = "\n".join(" ".join(line.split()) for line in value.strip().splitlines())
    if len(text) > LONGEST_PROMPT:
        raise FieldError(
            name, f"The prompt has {len(text):,} characters.", f"Use {LONGEST_PROMPT:,} at the most."
        )
    return text


LABEL_CHANGES = Listed(_change, str, lambda _name, raw: raw, PARTS)
BALANCE = Text(_balance, lambda value: BALANCES.get(value, value), BALANCES)
PROMPT = Text(_prompt)
