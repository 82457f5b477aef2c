"""One way to write a CSV cell, and one to read a message's text."""

import csv
import io
from decimal import Decimal

import pytest

from sessions.answered import question
from sessions.spreadsheets import csv_line, guarded
from sessions.texts import text_of
from workflows.data.preference import rows

PARTS = [{"type": "text", "text": "How many"}, "noise", {"type": "text", "text": "apples?"}]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_would_be_a_formula_is_guarded_and_numbers_are_not(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert [guarded(each) for each in (-1.5, Decimal(-2), None, "a=b")] == ["-1.5", "-2", "", "a=b"]


def test_a_line_reads_back() -> None:
    cells = ['say "yes"', "two\r\nlines", "a,b", ""]
    assert next(csv.reader(io.StringIO(csv_line(cells), newline=""))) == cells


def test_the_text_of_parts_is_the_same_wherever_it_is_read() -> None:
    asked = {"role": "user", "content": PARTS}
    assert {text_of(PARTS), rows.text_of(asked), question([asked])} == {"How many\napples?"}
    assert [text_of(each) for each in (None, "", "x")] == ["", "", "x"]
