"""The answer must be the expected one of a fixed set."""

from __future__ import annotations

import re
from typing import Any

# settings
LABELS = ("no", "yes")


# rule
def plain(text: str) -> str:
    """A label without case, quotes, closing dot, and with underscores as spaces."""
    return re.sub(r"[\s_-]+", " ", text.strip().strip("\"'`“”*.").casefold()).strip()


KNOWN = {plain(label): label for label in LABELS}


def compare(answer: str, expected: Any) -> tuple[float, str]:
    """1 for the expected label; an answer outside the set is wrong whatever it says."""
    given, wanted = plain(answer), plain(str(expected))
    if given not in KNOWN:
        return 0.0, f"the answer is none of the {len(KNOWN)} labels; {expected} was expected"
    return float(given == wanted), f"the answer is {KNOWN[given]}; {expected} was expected"


# trial
def spoil(answer: str) -> str:
    """The label that comes next."""
    labels = list(KNOWN)
    at = labels.index(plain(answer)) if plain(answer) in KNOWN else -1
    return KNOWN[labels[(at + 1) % len(labels)]]
