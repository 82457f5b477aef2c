"""Which of the formats of preference data a file has, with the evidence in counts (product row 4.1)."""

from __future__ import annotations

from collections.abc import Mapping

from .. import formats
from ..formats import ANSWERS, CHAT, CHOSEN, COMPLETION, PAIRS, PROMPTS, UNKNOWN, VISION, WORDS
from ..problems import FATAL, Problem

TAKEN = frozenset({PAIRS, PROMPTS, CHOSEN})
REMEDIES = {
    CHAT: "Use supervised fine-tuning for it, or leave the answers out to have pairs made from the prompts.",
    COMPLETION: "Bring each row into the form input, preferred_output, non_preferred_output.",
    VISION: "Remove the images, or use Fireworks' own vision fine-tuning.",
    UNKNOWN: "Each line must hold input, preferred_output and non_preferred_output, or messages to answer.",
}


def of_row(row: object) -> str:
    """The format of a row; a ground truth beside a prompt is of no use here, so that it is a prompt."""
    if isinstance(row, dict) and "prompt" in row and ("chosen" in row or "rejected" in row):
        return CHOSEN
    form = formats.of_row(row)
    return PROMPTS if form == ANSWERS and _only_asks(row) else form


def _only_asks(row: object) -> bool:
    messages = row["messages"] if isinstance(row, dict) else ()
    return all(isinstance(each, dict) and each.get("role") in {"user", "system"} for each in messages)


def of_file(evidence: Mapping[str, int]) -> str:
    """The format that most rows have; rows of no known format are faults of their own."""
    known = {form: rows for form, rows in evidence.items() if rows and form != UNKNOWN}
    if not known:
        return UNKNOWN
    best = max(known, key=lambda form: (known[form], form))
    return best if known[best] >= evidence.get(UNKNOWN, 0) else UNKNOWN


def told(evidence: Mapping[str, int]) -> str:
    """The counts in words, most rows first: `60 preference pairs, 40 prompts without answers`."""
    ranked = sorted(evidence.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{rows:,} {WORDS[form]}" for form, rows in ranked if rows)


def refusal(evidence: Mapping[str, int], first_lines: Mapping[str, int]) -> Problem | None:
    """Why a file of these rows cannot be used for preference learning; None when it can."""
    form = of_file(evidence)
    if form not in TAKEN:
        message = f"the file holds {told(evidence)}, not preference data"
        return Problem(first_lines.get(form, 0), "", "file.format", message, REMEDIES[form], level=FATAL)
    others = [each for each, rows in evidence.items() if rows and each not in {form, UNKNOWN}]
    if not others:
        return None
    line = min(first_lines.get(each, 0) for each in others)
    message = f"the file mixes formats: {told(evidence)}"
    remedy = "Put each format into a file of its own: pairs are trained on, prompts have pairs made first."
    return Problem(line, "", "file.mixed", message, remedy, level=FATAL)
