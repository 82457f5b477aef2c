"""Rows of known structure are not parsed; the outcome is that of parsing."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.conftest import chat
from workflows.data import structure
from workflows.data.lines import Batch
from workflows.data.problems import Findings
from workflows.data.scan import Tally
from workflows.data.structure import PARSE, Structures

PLAIN = orjson.dumps(chat("What is 2+2?", "4"))
SYSTEM = json.dumps({"messages": [{"role": "system", "content": "Be brief."}, *chat("a", "b")["messages"]]})


def tallied(lines: list[bytes], *, by_structure: bool) -> dict[str, object]:
    """What a tally holds; sketches where texts are written without \\u escapes."""
    tally = Tally(Findings(1000))
    if not by_structure:
        tally._structures._lines = structure.TRIED  # not worth a look from here on
    counts = tally.add(Batch(1, lines)).tolist()
    tally.finish()
    return {
        "tokens": counts,
        "problems": tally.findings.kept,
        "sketches": [] if b"\\u" in b"".join(lines).lower() else tally.kept.sketches.values.tolist(),
        "rows": tally.rows,
        **{name: +getattr(tally, name) for name in ("roles", "turns", "marks", "evidence")},
    }


def same(lines: list[bytes]) -> None:
    assert tallied(lines, by_structure=True) == tallied(lines, by_structure=False)


def test_only_the_first_row_of_a_structure_is_parsed():
    found = Structures()
    rows = [orjson.dumps(chat(f"question {at}", "an answer\n" * at + "end")) for at in range(50)]
    looked = found.look([*rows, SYSTEM.encode(), PLAIN])
    assert looked.which.tolist() == [0] * 50 + [1, 0]
    assert [each.roles for each in found.known] == [("user", "assistant"), ("system", "user", "assistant")]
    assert found.counts == [51, 1]


@pytest.mark.parametrize(
    "line",
    [
        PLAIN[:-1],  # not closed
        PLAIN + b"x",
        PLAIN.replace(b"4", b"4\x01"),
        PLAIN.replace(b"4", b"\\x"),
        PLAIN.replace(b"4", b"\\ud83d"),
        PLAIN.replace(b"4", b"\\ude00\\ud83d"),
        PLAIN.replace(b"4", b"\\u12g4"),
        PLAIN.replace(b"4", b"\\u12"),
        PLAIN.replace(b"4", b"\xff"),
        PLAIN.replace(b"4", b'"'),
        PLAIN.replace(b"4", b'\\\\"'),
        PLAIN.replace(b'"4"', b'""'),
        PLAIN.replace(b"4", b" \\t\\u00a0"),
        PLAIN.replace(b"4", "\u3000\u2003".encode()),
        PLAIN.replace(b'"user"', b'"robot"'),
        PLAIN.replace(b'"4"', b"4"),
        PLAIN.replace(b'"4"', b'["4"]'),
        b" " + PLAIN,
        b"\\" + PLAIN,
        b"",
        b"\\",
        b'"',
        b'{"',
    ],
)
def test_a_row_that_differs_in_what_matters_is_parsed(line):
    lines = [PLAIN, line, PLAIN]
    assert Structures().look(lines).which.tolist() == [0, PARSE, 0]
    same(lines)


@pytest.mark.parametrize(
    "text",
    [
        "\\n",
        '\\"',
        "\\\\",
        "\\/",
        "\\u00fc",
        "\\u20AC",
        "\\ud83d\\ude00",
        "ü",
        "日本",
        "\U0001f600",
        " x",
        "\\ty",
    ],
)
def test_escapes_count_as_what_they_stand_for(text):
    line = PLAIN.replace(b"4", f"12345{text}678{text}".encode())
    assert Structures().look([PLAIN, line]).which.tolist() == [0, 0]
    same([PLAIN, line, line])


@pytest.mark.parametrize(
    "extra",
    [
        {"id": "a-rather-long-identifier", "source": "x"},
        {"ground_truth": "4"},
        {"ground_truth": ""},
        {"content": "not of a message"},
        {"metadata": {"content": "neither", "role": "user"}},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {
            "tools": [
                {"type": "function", "function": {"name": "f", "description": "a long description of it"}}
            ]
        },
        {"weight": 1},
        {"n": 1234567890123456789},
    ],
)
def test_other_keys_change_nothing(extra):
    rows = [chat("What is 2+2?", "4", **extra), chat("And 3+3?", "six", **extra)]
    lines = [PLAIN, *(json.dumps(row).encode() for row in rows), *map(orjson.dumps, rows), PLAIN]
    assert tallied(lines, by_structure=True) == tallied(lines, by_structure=False)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=4), min_size=2, max_size=6), st.data())
def test_parsing_says_the_same_of_any_rows(turns, data):
    lines = []
    for each in turns:
        write = data.draw(st.sampled_from([orjson.dumps, lambda row: json.dumps(row).encode()]))
        line = bytearray(write(chat(*each)).replace(b"\\ud", b"\\uD"))
        if data.draw(st.booleans()):
            line[data.draw(st.integers(0, len(line) - 1))] = data.draw(
                st.sampled_from(b'"\\{}[],: au1\xc3\t')
            )
        lines.append(bytes(line))
    every = [PLAIN, *lines, SYSTEM.encode(), *lines]
    assert tallied(every, by_structure=True) == tallied(every, by_structure=False)


def test_rows_that_differ_in_a_number_have_one_structure():
    rows = [orjson.dumps({"id": at, **chat("q", "a")}) for at in range(1111, 2000) if "0" not in str(at)]
    found = Structures()
    assert set(found.look(rows).which.tolist()) == {0}
    assert len(found.known) == 1
    line = orjson.dumps({"id": 4567, **chat("q", "a")})
    broken = [
        line.replace(b"4567", each) for each in (b"0567", b"45 67", b"45.6.7", b"-", b"45e", b"4:67", b"4/67")
    ]
    assert found.look([*broken, line]).which.tolist() == [PARSE] * len(broken) + [0]
    same([line, *broken, line])


def test_a_file_of_many_structures_is_not_looked_at_for_ever():
    found = Structures()
    rows = [orjson.dumps(chat("q", "a", **{f"key{at}": at})) for at in range(structure.TRIED)]
    found.look(rows)
    assert not found.worth_it
