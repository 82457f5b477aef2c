"""Prompts that training rows share with the rows that are measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..problems import WARNING, Problem
from .scan import Kept, scan
from .wording import PAIR_REMEDIES, SHARED

LISTED = 5  # line numbers in one message
Lines = Mapping[bytes, Sequence[int]]  # physical lines by the prompt's key


def lines_of(kept: Kept) -> dict[bytes, list[int]]:
    """The physical lines of the usable rows that ask each prompt, by its key."""
    found: dict[bytes, list[int]] = {}
    for line, key in zip(kept.lines, kept.prompt_keys(), strict=True):
        found.setdefault(key, []).append(line)
    return found


def asked_in(path: Path) -> dict[bytes, list[int]]:
    """The same of a file."""
    return lines_of(scan(path).kept)


def problems(trained: Kept, measured: Lines) -> Iterator[Problem]:
    """One for each prompt that both ask, with the lines of both, in the order of the training rows."""
    for key, here in lines_of(trained).items():
        if key in measured:
            verb, be = ("asks", "is") if len(here) == 1 else ("ask", "are")
            there = f"{named(measured[key])} of the evaluation dataset"
            message = f"{named(here)} {verb} the prompt of {there}, and {be} not trained on"
            yield Problem(here[0], "", SHARED, message, PAIR_REMEDIES[SHARED], level=WARNING)


def named(lines: Sequence[int]) -> str:
    """`line 3`, `lines 3, 9 and 12`, or the first few and how many more."""
    if len(lines) == 1:
        return f"line {lines[0]:,}"
    shown = [f"{line:,}" for line in lines[:LISTED]]
    rest = f"{len(lines) - LISTED:,} more" if len(lines) > LISTED else ""
    *first, last = [*shown, *filter(None, [rest])]
    return f"lines {', '.join(first)} and {last}"
