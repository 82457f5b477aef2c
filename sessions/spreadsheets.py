"""CSV that a spreadsheet may open: no text of it is taken for a formula. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a cell must not begin with (OWASP, CSV injection)


def guarded(cell: Any) -> str:
    """One cell: numbers as they are, nothing for None, and what would be a formula behind an apostrophe."""
    if cell is None:
        return ""
    text = str(cell)
    is_number = isinstance(cell, int | float | Decimal)
    return f"'{text}" if not is_number and text.startswith(FORMULA) else text


def csv_line(cells: Iterable[Any]) -> str:
    """One line with its end (RFC 4180)."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([guarded(cell) for cell in cells])
    return out.getvalue()
