"""Tokens: numbers, names, hyphens, and positions in the text as typed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sessions.instructions.tokens import Kind, tokenize


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", "0.0001"),
        ("1.5E-4", "0.00015"),
        ("1e−4", "0.0001"),
        (".5", "0.5"),
        ("1,000", "1000"),
        ("1,000,000", "1000000"),
        ("5k", "5000"),
        ("-3", "-3"),
        ("0.0001", "0.0001"),
    ],
)
def test_numbers(text: str, value: str) -> None:
    [token] = tokenize(text)
    assert (token.kind, token.value) == (Kind.NUMBER, Decimal(value))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("8,16,32", ["8", ",", "16", ",", "32"]),
        ("500,1000", ["500", ",", "1000"]),
        ("8/16", ["8", "/", "16"]),
        ("epochs.", ["epochs", "."]),
        ("5e-5.", ["5e-5", "."]),
        ("run.Use", ["run", ".", "Use"]),
        ("qwen3.5-9b", ["qwen3.5", "9b"]),
        ("accounts/a/datasets/b-1.c.", ["accounts/a/datasets/b-1.c", "."]),
        ("upload:a_-b-.", ["upload:a_-b-", "."]),
        ("$5,", ["$5", ","]),
        ("10 %", ["10 %"]),
        ("don’t fine-tune", ["don’t", "fine", "tune"]),
        ("3-epoch", ["3", "epoch"]),
        ("70b", ["70b"]),
        ("- a", ["-", "a"]),
    ],
)
def test_cutting(text: str, parts: list[str]) -> None:
    assert [token.text for token in tokenize(text)] == parts


def test_hyphens_glue_and_lines_break() -> None:
    fine, tuning, rank, sixteen = tokenize("fine-tuning\nlora_16")
    assert [fine.glued, tuning.glued, rank.glued, sixteen.glued] == [False, True, False, True]
    assert [token.breaks for token in (fine, tuning, rank, sixteen)] == [False, False, True, False]


def test_positions_are_those_of_the_text_as_typed() -> None:
    text = "Don’t  use “1e−4”"
    assert [text[token.start : token.end] for token in tokenize(text)] == ["Don’t", "use", "“", "1e−4", "”"]
    assert [token.norm for token in tokenize(text)] == ["don't", "use", '"', "1e-4", '"']


def test_number_words_have_a_value_but_stay_words() -> None:
    assert [(t.kind, t.value) for t in tokenize("two twenty x")] == [
        (Kind.WORD, Decimal(2)),
        (Kind.WORD, Decimal(20)),
        (Kind.WORD, None),
    ]
