"""A few of the prompts that pairs were to be made of, drawn by the session's seed, to be looked at: pairs
that were kept, and what was left out with the reason."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from sessions.models import Answer
from sessions.texts import text_of

SAMPLE = "pairs-sample.json"
KEPT, PAIRS_SHOWN, OF_EACH = "kept", 5, 2
Sides = tuple[Answer | None, Answer | None]


def drawn(
    messages: Mapping[int, Sequence[Mapping[str, Any]]],
    sides: Sequence[Sides],
    outcomes: Sequence[str],
    seed: int,
) -> list[dict[str, Any]]:
    """Up to PAIRS_SHOWN kept pairs and up to OF_EACH prompts of every reason, in the order of the rows."""
    draw, rows = random.Random(seed), []  # noqa: S311  # a sample, no secret
    for outcome in sorted(set(outcomes)):
        of_it = [row for row, each in enumerate(outcomes) if each == outcome]
        rows += draw.sample(of_it, min(len(of_it), PAIRS_SHOWN if outcome == KEPT else OF_EACH))
    return [
        {
            "row": row,
            "outcome": outcomes[row],
            "asked": text_of(messages[row][-1].get("content")),
            "preferred": said(sides[row][0]),
            "other": said(sides[row][1]),
        }
        for row in sorted(rows)
    ]


def said(answer: Answer | None) -> str:
    """The text of an answer; the provider's words where there is none."""
    return "" if answer is None else answer.text or answer.error
