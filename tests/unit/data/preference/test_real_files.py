"""The real files of preference data that came with the task; skipped where they are not."""

from __future__ import annotations

import json

import pytest

from workflows.data import formats
from workflows.data.preference import converting, splits
from workflows.data.preference.inspection import inspect


@pytest.mark.parametrize(
    ("name", "form", "rows"),
    [
        ("ifeval-pairs", formats.PAIRS, 100),
        ("ifeval-chosen-rejected", formats.CHOSEN, 40),
        ("prompts-only", formats.PROMPTS, 175),
    ],
)
def test_format_and_rows(shared_data, name, form, rows):
    found = inspect(shared_data / f"{name}.jsonl")
    assert (found.report.format, found.report.usable_samples) == (form, rows)
    assert found.report.usable
    assert found.lint.prompts == rows


def test_the_pairs_prefer_the_longer_answer(shared_data):
    lengths = inspect(shared_data / "ifeval-pairs.jsonl").lint.lengths
    assert lengths is not None
    assert lengths.longer == 69
    assert lengths.biased


def test_the_conversion_gives_the_pairs_of_the_same_rows(shared_data, tmp_path):
    done = converting.convert(shared_data / "ifeval-chosen-rejected.jsonl", tmp_path / "pairs.jsonl")
    found = inspect(done.path)
    assert (done.changed, found.report.format, found.report.usable_samples) == (40, formats.PAIRS, 40)
    first = json.loads(done.path.read_text().splitlines()[0])
    with (shared_data / "ifeval-pairs.jsonl").open() as pairs:
        assert first["input"] == json.loads(pairs.readline())["input"]


def test_a_fifth_is_held_out(shared_data, tmp_path):
    made = splits.split(shared_data / "ifeval-pairs.jsonl", tmp_path, heldout=splits.default_rows(100))
    assert (made.train.rows, made.heldout.rows) == (80, 20)
