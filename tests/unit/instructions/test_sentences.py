"""The table of sentences: how many are read right, and that none is read wrong."""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sessions.instructions import Reading, read
from tests.unit.specification.examples import CATALOGUE, full

HERE = Path(__file__).parent
TABLE, TRAPS = (
    tomllib.loads((HERE / name).read_text(encoding="utf-8"))["sentence"]
    for name in ("sentences.toml", "traps.toml")
)
AT_LEAST, OF = 115, 120  # of the issue; the table has more
COSTS = {"right": 0, "not understood": 1, "wrong": 10}


def expected(row: dict[str, Any]) -> dict[str, Any]:
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row["values"].items()
    }
    if models := values.get("base_models"):
        values["base_models"] = full(*models)
    return values


def judged(row: dict[str, Any], found: Reading) -> str:
    """right, not understood (something is missing, and the reading says so), or wrong."""
    values, meant = {name: entry.value for name, entry in found.entries.items()}, expected(row)
    lost, faults = (
        [span.text for span in found.not_understood],
        {error.field for error in found.errors},
    )
    if values == meant and lost == row.get("lost", []) and faults == set(row.get("faults", [])):
        return "right"
    if any(name not in meant or meant[name] != value for name, value in values.items()):
        return "wrong"
    told = bool(lost) or bool(faults)
    return "not understood" if told and values != meant else "wrong" if values != meant else "not understood"


def test_the_table_is_large_enough_and_repeats_nothing() -> None:
    assert len({row["text"] for row in TABLE}) == len(TABLE) >= OF


def test_nearly_all_sentences_are_read_right_and_none_is_read_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    verdicts = {row["text"]: judged(row, read(row["text"], CATALOGUE, account="me")) for row in TABLE}
    count = Counter(verdicts.values())
    cost = sum(COSTS[verdict] * many for verdict, many in count.items())
    with capsys.disabled():
        sys.stdout.write(f"\n{count['right']} of {len(TABLE)} sentences read right, penalty {cost}\n")
    assert [text for text, verdict in verdicts.items() if verdict == "wrong"] == []
    assert count["right"] * OF >= AT_LEAST * len(TABLE)


def test_no_trap_is_read_wrong_and_most_are_read_right() -> None:
    verdicts = {row["text"]: judged(row, read(row["text"], CATALOGUE, account="me")) for row in TRAPS}
    assert len(verdicts) == len(TRAPS)
    assert [text for text, verdict in verdicts.items() if verdict == "wrong"] == []
    assert Counter(verdicts.values())["right"] >= 0.75 * len(TRAPS)
