"""Rows of classification for tests."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

TICKETS = {
    "billing": ("invoice", "refund", "charge"),
    "technical": ("error", "crash", "bug"),
    "account": ("password", "login", "email"),
    "sales": ("price", "offer", "quote"),
}


def tickets(count: int, seed: int = 1, words: Mapping[str, Sequence[str]] = TICKETS) -> list[dict[str, Any]]:
    """Distinct tickets, as many of each label; one word tells the label."""
    draw = random.Random(seed)
    found = []
    for at in range(count):
        label = list(words)[at % len(words)]
        text = f"Ticket {seed}-{at}: {draw.choice(words[label])} please help"
        found.append({"messages": [{"role": "user", "content": text}], "ground_truth": label})
    return found
