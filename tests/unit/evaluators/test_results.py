"""The strict reading of the lines that a run sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workflows.evaluators.results import Collected, OutOfTurn, RowScore

pytestmark = pytest.mark.unit
GOOD: dict[str, Any] = {"row": 0, "score": 0.25, "reason": "half", "metrics": {"a": 2}}


def test_a_good_line() -> None:
    collected = Collected(1)
    collected.take(json.dumps(GOOD).encode())
    assert collected.rows == [RowScore(0, 0.25, "half", {"a": 2.0})]
    assert collected.complete


@pytest.mark.parametrize(
    "line",
    [
        b"", b"nonsense", b"[" * 100_000, b"null", b'{"row": 0}', b'{"loaded": 1}',
        *(json.dumps(GOOD | change).encode() for change in (
            {"row": 1}, {"row": -1}, {"row": "0"}, {"row": 0.0}, {"score": 1.5}, {"score": True},
            {"score": float("nan")}, {"score": None}, {"score": "1"}, {"reason": None}, {"metrics": []},
            {"metrics": {"a": "x"}}, {"metrics": {"a": float("inf")}}, {"metrics": {"a": True}},
            {"score": 10**400}, {"score": -(10**400)}, {"metrics": {"a": 10**400}},
        )),
    ],
)  # fmt: skip
def test_anything_else_is_out_of_turn(line: bytes) -> None:
    with pytest.raises(OutOfTurn):
        Collected(1).take(line)


def test_a_row_is_told_once() -> None:
    collected = Collected(2)
    collected.take(json.dumps(GOOD).encode())
    with pytest.raises(OutOfTurn):
        collected.take(json.dumps(GOOD).encode())


def test_half_characters_and_nul_are_replaced() -> None:
    """Neither a file nor PostgreSQL takes them."""
    collected = Collected(2)
    collected.take(json.dumps(GOOD | {"reason": "a\ud800\0b", "metrics": {"\udfff": 1}}).encode())
    collected.take(json.dumps({"row": 1, "error": "\0"}).encode())
    assert collected.rows == [
        RowScore(0, 0.25, "a\ufffd\ufffdb", {"\ufffd": 1.0}),
        RowScore(1, fault="\ufffd"),
    ]
