"""Chosen/rejected rows as pairs, in a new file; the original is only read (product row 4.1).

Taken are `{chosen, rejected}` whose values are conversations (a list of messages, or `{messages: [...]}`)
that agree up to their last message, and `{prompt, chosen, rejected}` of texts. Other rows are copied as
they are, so that line numbers stay the same, and are told as faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from ..conversion import Converted, Example, decoded
from ..formats import CHOSEN
from ..lines import batches
from ..rules import Finding, kind
from ..staging import atomic
from .detecting import of_row
from .rows import OTHER, PREFERRED

KIND = "chosen_rejected"
WHY = "chosen and rejected conversations become pairs: their common beginning is the prompt"
Row = dict[str, Any]


def pair_of(row: Mapping[str, Any]) -> Row | Finding:
    """The pair that a chosen/rejected row holds, or what keeps it from being one."""
    sides = [_conversation(row, side) for side in ("chosen", "rejected")]
    for name, side in zip(("chosen", "rejected"), sides, strict=True):
        if side is None:
            message = f"{name} is a {kind(row.get(name))}, not a conversation"
            return Finding("chosen.type", name, message, row.get(name))
    chosen, rejected = (side or [] for side in sides)
    if not chosen or not rejected or len(chosen) == 1 or chosen[:-1] != rejected[:-1]:
        return Finding(
            "chosen.prompts",
            "rejected",
            "chosen and rejected do not begin with the same prompt and end with one answer each",
        )
    given: Row = {"messages": chosen[:-1]}
    if row.get("tools"):
        given["tools"] = row["tools"]
    return {"input": given, PREFERRED: chosen[-1:], OTHER: rejected[-1:]}


def _conversation(row: Mapping[str, Any], side: str) -> list[Any] | None:
    """All messages of one side, prompt included; None when it is none."""
    value, prompt = row.get(side), row.get("prompt")
    if isinstance(value, dict):
        value = value.get("messages", [value] if "role" in value else None)
    if isinstance(prompt, str):
        prompt = [{"role": "user", "content": prompt}]
    if isinstance(value, str) and isinstance(prompt, list):
        return [*prompt, {"role": "assistant", "content": value}]
    if not isinstance(value, list):
        return None
    return [*prompt, *value] if isinstance(prompt, list) and len(value) == 1 else value


def convert(path: Path, target: Path) -> Converted:
    """Write `target` with every chosen/rejected row as a pair. Raises ValueError when it is the original."""
    if target.exists() and target.samefile(path):
        raise ValueError("a conversion never overwrites the original")
    rows = changed = 0
    with atomic(target) as out:
        for batch in batches(path):
            for line in batch.lines:
                row = decoded(line)
                pair = _converted(row)
                rows, changed = rows + (row is not None), changed + (pair is not None)
                out.write((line if pair is None else orjson.dumps(pair)) + b"\n")
    return Converted(target, rows, changed, out.bytes, out.sha256)


def preview(path: Path, limit: int = 3) -> list[Example]:
    """The first `limit` rows that the conversion changes, before and after. Writes nothing."""
    found: list[Example] = []
    for batch in batches(path):
        for at, line in enumerate(batch.lines, batch.first):
            row = decoded(line)
            pair = _converted(row)
            if row is not None and pair is not None:
                found.append(Example(at, row, pair))
            if len(found) == limit:
                return found
    return found


def _converted(row: Row | None) -> Row | None:
    pair = pair_of(row) if row is not None and of_row(row) == CHOSEN else None
    return pair if isinstance(pair, dict) else None
