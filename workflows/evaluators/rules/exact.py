"""The text must be the same."""

from __future__ import annotations

from typing import Any

# settings
IGNORE_CASE = False


# rule
def plain(text: str) -> str:
    """White space counts as one blank; none counts at the ends."""
    joined = " ".join(text.split())
    return joined.casefold() if IGNORE_CASE else joined


def compare(answer: str, expected: Any) -> tuple[float, str]:
    """1 when answer and expected answer are the same text."""
    given, wanted = plain(answer), plain(str(expected))
    if given == wanted:
        return 1.0, "the same text"
    same = next((at for at, pair in enumerate(zip(given, wanted, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(given), len(wanted)) if same is None else same
    return (
        0.0,
        f"the texts differ from character {at + 1} on: {given[at : at + 40]!r}, not {wanted[at : at + 40]!r}",
    )


# trial
def spoil(answer: str) -> str:
    """One word of it missing."""
    words = answer.split()
    middle = len(words) // 2
    return " ".join(words[:middle] + words[middle + 1 :]) if len(words) > 1 else f"{answer} x"
