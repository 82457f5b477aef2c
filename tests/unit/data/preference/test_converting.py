"""Chosen/rejected rows as pairs: which, how, and that the original stays."""

from __future__ import annotations

import json

import pytest

from tests.unit.data.preference.conftest import chosen, pair
from workflows.data.preference.converting import convert, preview
from workflows.data.preference.inspection import inspect


@pytest.mark.parametrize(
    "row",
    [
        chosen("q", "a", "b"),
        {side: value["messages"] for side, value in chosen("q", "a", "b").items()},
        {"prompt": "q", "chosen": "a", "rejected": "b"},
        {"prompt": [{"role": "user", "content": "q"}], "chosen": "a", "rejected": "b"},
        {
            "prompt": "q",
            "chosen": [{"role": "assistant", "content": "a"}],
            "rejected": [{"role": "assistant", "content": "b"}],
        },
        {"prompt": "q", **{side: value["messages"] for side, value in chosen("q", "a", "b").items()}},
    ],
)
def test_the_usual_shapes_give_the_same_pair(write, row, tmp_path):
    source = write(row)
    done = convert(source, tmp_path / "pairs.jsonl")
    assert json.loads(done.path.read_text()) == pair("q", "a", "b")
    assert (done.rows, done.changed) == (1, 1)


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"chosen": "a", "rejected": "b"}, "chosen.type"),
        ({"chosen": [{"role": "assistant", "content": "a"}]}, "chosen.type"),
        ({"chosen": [], "rejected": []}, "chosen.prompts"),
        ({"chosen": chosen("q", "a", "b")["chosen"], "rejected": chosen("z", "a", "b")["rejected"]},
         "chosen.prompts"),
        (chosen("q", "a", "a"), "pair.identical"),
        ({"chosen": {"messages": [1, 2]}, "rejected": {"messages": [1, 3]}}, "message.type"),
    ],
)  # fmt: skip
def test_what_is_no_pair_is_a_problem(write, row, rule):
    found = inspect(write(*(chosen(f"q{at}", "a", "b") for at in range(3)), row)).report
    assert found.problems[0].rule == rule
    assert (found.problems[0].line, found.usable_samples) == (4, 3)


def test_the_original_stays_and_line_numbers_too(write, tmp_path):
    source = write(chosen("q", "a", "b"), "", "{broken", chosen("r", "a", "b"), end=b"\r\n")
    before = source.read_bytes()
    done = convert(source, tmp_path / "pairs.jsonl")
    assert source.read_bytes() == before
    lines = done.path.read_text().split("\n")
    assert (lines[1], lines[2], json.loads(lines[3])) == ("", "{broken", pair("r", "a", "b"))
    again = convert(source, tmp_path / "again.jsonl")
    assert again.sha256 == done.sha256
    with pytest.raises(ValueError, match="never overwrites"):
        convert(source, source)


def test_a_preview_shows_rows_before_and_after(write):
    source = write("{broken", *(chosen(f"q{at}", "a", "b") for at in range(5)))
    shown = preview(source, 2)
    assert [each.line for each in shown] == [2, 3]
    assert shown[0].before == chosen("q0", "a", "b")
    assert shown[0].after == pair("q0", "a", "b")
