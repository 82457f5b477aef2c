"""Problems as text and as CSV that no spreadsheet executes."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.spreadsheets import guarded
from workflows.data.problems import EXCERPT, REMEDIES, Problem, excerpt, problems_csv


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_formulas_are_guarded(cell):
    assert guarded(cell) == f"'{cell}"


def test_plain_cells_are_not_changed():
    assert [guarded(cell) for cell in ("a=b", 12, "")] == ["a=b", "12", ""]


def test_the_csv_reads_back():
    problem = Problem(
        3, "messages[0].role", "role.unknown", 'the role "x", odd', "Use one.", "=cmd|' /C calc'!A0"
    )
    heading, row = csv.reader(io.StringIO(problems_csv([problem])))
    assert heading == ["line", "level", "rule", "field", "message", "remedy", "excerpt"]
    assert row == [
        "3",
        "error",
        "role.unknown",
        "messages[0].role",
        'the role "x", odd',
        "Use one.",
        "'=cmd|' /C calc'!A0",
    ]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.text(), st.binary(), st.lists(st.integers(-5, 5)), st.dictionaries(st.text(), st.booleans())
    ),
    st.integers(0, 500),
)
def test_excerpts_are_short_and_printable(value, around):
    shown = excerpt(value, around)
    assert len(shown) <= EXCERPT
    assert shown.isprintable()


def test_an_excerpt_shows_the_place():
    shown = excerpt("a" * 500 + "HERE" + "b" * 500, 500)
    assert "HERE" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")


def test_every_remedy_is_a_sentence():
    assert all(text.endswith(".") and text[0].isupper() for text in REMEDIES.values())
