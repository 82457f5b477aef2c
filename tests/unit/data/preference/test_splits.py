"""Splits go by prompt, by seed, and give the same bytes again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.preference.conftest import pair, prompt
from workflows.data.preference import splits
from workflows.data.splits import SplitError

ROWS = [pair(f"question {at // 2}", f"good {at}", f"bad {at}") for at in range(100)]


def asked(path) -> set[str]:
    return {json.loads(line)["input"]["messages"][0]["content"] for line in path.read_text().splitlines()}


def test_a_prompt_is_never_on_both_sides(write, tmp_path):
    made = splits.split(write(*ROWS), tmp_path, heldout=splits.default_rows(100))
    assert (made.train.rows, made.heldout.rows, made.repeated, made.usable) == (80, 10, 10, 100)
    assert made.train_prompts == 40
    assert not asked(made.train.path) & asked(made.heldout.path)


def test_the_same_seed_gives_the_same_bytes_whatever_the_order(write, tmp_path):
    (tmp_path / "b").mkdir()
    first = splits.split(write(*ROWS), tmp_path, heldout=20, seed=7)
    second = splits.split(write(*ROWS[::-1], name="other.jsonl"), tmp_path / "b", heldout=20, seed=7)
    again = splits.split(write(*ROWS), tmp_path, heldout=20, seed=7)
    assert again.heldout.sha256 == first.heldout.sha256
    assert asked(first.heldout.path) == asked(second.heldout.path)
    other = splits.split(write(*ROWS), tmp_path, heldout=20, seed=8)
    assert other.heldout.sha256 != first.heldout.sha256


def test_faulty_and_contradictory_rows_are_left_out(write, tmp_path):
    bad = [pair("x", "same", "same"), pair("which", "a", "b"), pair("which", "b", "a"), "{"]
    made = splits.split(write(*ROWS, *bad), tmp_path, heldout=20)
    assert made.usable == made.train.rows + made.heldout.rows + made.repeated == 100


def test_prompts_that_are_measured_on_elsewhere_are_not_trained_on(write, tmp_path):
    brought = write(pair("question 3", "a", "b"), pair(" question  4", "a", "b"), name="test.jsonl")
    barred = splits.prompt_keys(brought)
    made = splits.split(write(*ROWS), tmp_path, heldout=0, barred=barred)
    assert (made.heldout, made.train.rows, made.usable) == (None, 96, 100)
    assert not {"question 3", "question 4"} & asked(made.train.path)
    assert splits.whole(brought, tmp_path / "heldout.jsonl")[0].rows == 2


def test_a_prompt_is_measured_on_once_by_its_first_row(write, tmp_path):
    rows = [pair("q", "a", "b"), pair("other", "a", "b"), pair(" q ", "c", "d")]
    kept, repeated = splits.whole(write(*rows), tmp_path / "heldout.jsonl")
    assert (kept.rows, repeated) == (2, 1)
    assert [json.loads(line) for line in kept.path.read_text().splitlines()] == rows[:2]


def test_prompts_without_answers_are_split_alike(write, tmp_path):
    made = splits.split(write(*(prompt(f"p{at}") for at in range(10))), tmp_path, heldout=2)
    assert (made.train.rows, made.heldout.rows) == (8, 2)


def test_too_little_is_refused_with_the_numbers(write, tmp_path):
    with pytest.raises(SplitError, match="4 usable rows cannot give 2 held-out rows"):
        splits.split(write(*(prompt(f"p{at}") for at in range(4))), tmp_path, heldout=2)
    with pytest.raises(SplitError, match="no usable row"):
        splits.whole(write("{"), tmp_path / "heldout.jsonl")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=8, max_size=60), st.integers(1, 4), st.integers(0, 9))
def test_whatever_the_prompts_sides_are_apart_and_complete(tmp_path_factory, owners, heldout, seed):
    folder = tmp_path_factory.mktemp("split")
    path = folder / "data.jsonl"
    path.write_text(
        "".join(json.dumps(pair(f"p{each}", f"a{at}", "b")) + "\n" for at, each in enumerate(owners))
    )
    try:
        made = splits.split(path, folder, heldout=heldout, seed=seed)
    except SplitError:
        return
    assert made.train.rows + made.heldout.rows + made.repeated == len(owners)
    assert not asked(made.train.path) & asked(made.heldout.path)
