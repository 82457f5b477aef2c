"""Numbers of rows as they come in addresses and forms."""

from __future__ import annotations

LONGEST = 9  # digits that any column of the database takes


def row_number(text: str | None) -> int | None:
    """A number from 0 up written in digits; None for anything else, and for one that no row can have."""
    return int(text) if text and text.isdecimal() and len(text) <= LONGEST else None
