"""The real files: formats, counts, and what a session would find."""

from __future__ import annotations

import pytest

from workflows.data.inspection import inspect
from workflows.data.splits import split


@pytest.mark.parametrize(
    ("name", "form", "samples", "usable"),
    [
        ("text2sql.jsonl", "chat", 100, 100),
        ("gsm8k-train.jsonl", "chat", 7473, 7473),
        ("banking77-test.jsonl", "chat", 3080, 3080),
        ("ifeval-pairs.jsonl", "pairs", 100, 0),
        ("ifeval-chosen-rejected.jsonl", "chosen-rejected", 40, 0),
        ("prompts-only.jsonl", "prompts", 175, 0),
    ],
)
def test_real_files_are_what_they_are_said_to_be(shared_data, name, form, samples, usable):
    found = inspect(shared_data / name)
    assert (found.format, found.samples, found.usable_samples) == (form, samples, usable)
    assert found.usable == (form == "chat")


def test_gsm8k_gives_a_thousand_rows_for_the_candidates(shared_data, tmp_path):
    made = split(shared_data / "gsm8k-train.jsonl", tmp_path)
    assert (made.train.rows, made.heldout.rows, made.sample.rows) == (7373, 100, 1000)
    assert inspect(shared_data / "gsm8k-train.jsonl").ground_truth_rows == 7473
