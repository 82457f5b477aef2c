"""Splits: sizes, order, bytes, determinism, duplicates."""

from __future__ import annotations

import hashlib

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.conftest import chat
from workflows.data.inspection import inspect
from workflows.data.splits import SplitError, heldout_rows, split
from workflows.data.tokens import of_sample


def numbered(count):
    return [chat(f"question {at}", f"answer {at}") for at in range(count)]


def lines(part):
    return part.path.read_bytes().splitlines()


@pytest.mark.parametrize(
    ("usable", "rows"), [(4, 1), (9, 1), (10, 1), (19, 1), (20, 2), (999, 99), (1000, 100), (7473, 100)]
)
def test_the_default_is_fireworks_own_carve_out(usable, rows):
    assert heldout_rows(usable, None) == rows


@pytest.mark.parametrize(("asked", "rows"), [(0, 0), (5, 5), (5.0, 5), (0.25, 25), (0.001, 1)])
def test_other_sizes_can_be_asked_for(asked, rows):
    assert heldout_rows(100, asked) == rows


@pytest.mark.parametrize("asked", [-1, 1.5, -0.1])
def test_sizes_without_sense_are_refused(asked):
    with pytest.raises(SplitError, match="whole number or a share"):
        heldout_rows(100, asked)


def test_every_row_goes_to_exactly_one_side_in_its_order(write, tmp_path):
    path = write(*numbered(250))
    made = split(path, tmp_path / "out")
    source = path.read_bytes().splitlines()
    train, held = lines(made.train), lines(made.heldout)
    assert (len(train), len(held), made.sample) == (225, 25, None)
    assert sorted(train + held) == sorted(source)
    assert train == [line for line in source if line in set(train)]
    assert held == [source[line - 1] for line in made.heldout_lines]


def test_the_sample_is_drawn_from_the_training_rows(write, tmp_path):
    made = split(write(*numbered(250)), tmp_path / "out", sample=100)
    train, sample = lines(made.train), lines(made.sample)
    assert (len(sample), made.sample.rows) == (100, 100)
    assert sample == [line for line in train if line in set(sample)]


def test_each_file_knows_its_hash_size_and_tokens(write, tmp_path):
    made = split(write(*numbered(50)), tmp_path / "out", sample=10)
    for part in (made.train, made.heldout, made.sample):
        content = part.path.read_bytes()
        assert (part.bytes, part.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert part.rows == content.count(b"\n")
        assert part.tokens == sum(of_sample(orjson.loads(line)) for line in content.splitlines())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(write, tmp_path):
    path = write(*numbered(300))
    first, again, other = (
        split(path, tmp_path / name, seed=seed, sample=50) for name, seed in (("a", 42), ("b", 42), ("c", 43))
    )
    assert first.heldout.sha256 == again.heldout.sha256
    assert first.sample.sha256 == again.sample.sha256
    assert first.heldout.sha256 != other.heldout.sha256


def test_the_draw_is_the_one_of_this_release(write, tmp_path):
    """A changed draw would change every recorded run: the same inputs must give the same files for ever."""
    made = split(write(*numbered(30)), tmp_path / "out", sample=5)
    assert made.heldout_lines == (12, 14, 18)
    assert made.sample.sha256.startswith("637baf1c21161b4b")


def test_unusable_and_dropped_rows_are_left_out(write, tmp_path):
    rows = numbered(20)
    path = write(*rows[:5], "{broken", "", *rows[5:10], chat("no answer"), *rows[10:])
    made = split(path, tmp_path / "out", drop_lines={1, 2})
    kept = lines(made.train) + lines(made.heldout)
    assert sorted(kept) == sorted(map(orjson.dumps, rows[2:]))
    assert (made.usable, made.dropped) == (18, 4)


def test_a_split_keeps_what_inspection_calls_usable(write, tmp_path):
    path = write(
        *numbered(9), "[]", {"messages": []}, chat("q", ground_truth="1"), head=b"\xef\xbb\xbf", end=b"\r\n"
    )
    made = split(path, tmp_path / "out")
    assert made.usable == inspect(path).usable_samples == 10
    content = made.train.path.read_bytes() + made.heldout.path.read_bytes()
    assert b"\r" not in content
    assert b"\xef\xbb\xbf" not in content


def test_no_held_out_rows_when_an_evaluation_dataset_is_there(write, tmp_path):
    path = write(*numbered(50))
    split(path, tmp_path / "out", sample=10)
    made = split(path, tmp_path / "out", heldout=0)
    assert (made.heldout, made.sample, made.train.rows, made.heldout_lines) == (None, None, 50, ())
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["train.jsonl"]


def test_duplicates_never_straddle(write, tmp_path):
    rows = numbered(10) * 3
    made = split(write(*rows), tmp_path / "out", heldout=7)
    held, train = lines(made.heldout), lines(made.train)
    assert not set(held) & set(train)
    assert len(held) == 6
    assert len(held) + len(train) == 30


def test_when_every_group_is_too_large_the_smallest_is_held_out(write, tmp_path):
    rows = [*numbered(1) * 5, *numbered(2)[1:] * 3]
    made = split(write(*rows), tmp_path / "out", heldout=1)
    assert (made.heldout.rows, made.train.rows) == (3, 5)


@pytest.mark.parametrize(
    ("rows", "heldout"), [(numbered(3), None), (numbered(1) * 9, None), (numbered(10), 8), ([], None)]
)
def test_too_little_to_split_is_said(write, tmp_path, rows, heldout):
    with pytest.raises(SplitError, match=r"add rows|duplicates"):
        split(write(*rows), tmp_path / "out", heldout=heldout)
    assert not (tmp_path / "out").exists()


def test_facts_are_json_ready(write, tmp_path):
    facts = split(write(*numbered(30)), tmp_path / "out").to_json()
    assert orjson.loads(orjson.dumps(facts))["train"]["path"] == "train.jsonl"
    assert facts["sample"] is None


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    texts=st.lists(st.sampled_from("abcdefghijklmnop"), min_size=5, max_size=40),
    heldout=st.one_of(st.none(), st.integers(0, 5), st.floats(0.01, 0.5)),
    sample=st.one_of(st.none(), st.integers(1, 10)),
    seed=st.integers(0, 5),
)
def test_any_split_keeps_all_rows_once(tmp_path_factory, texts, heldout, sample, seed):
    folder = tmp_path_factory.mktemp("split")
    path = folder / "f"
    source = [orjson.dumps(chat(text, "answer")) for text in texts]
    path.write_bytes(b"\n".join(source))
    try:
        made = split(path, folder / "out", heldout=heldout, sample=sample, seed=seed)
    except SplitError:
        assert len(texts) < 9 or max(map(texts.count, texts)) > len(texts) // 3 or len(set(texts)) < 12
        return
    train, held = lines(made.train), lines(made.heldout) if made.heldout else []
    assert sorted(train + held) == sorted(source)
    assert not set(train) & set(held)
    assert (made.heldout is None) == (heldout == 0)
    if made.sample:
        assert (made.sample.rows, len(train) > sample) == (sample, True)
