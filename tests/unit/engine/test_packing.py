"""Packing loses no token, keeps segments apart and uses few shapes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from localfireworks.engine.chat import Rendered
from localfireworks.engine.packing import fill_rows, pack, row_length, usual_length


def sample(length, start=0):
    ids = np.arange(start, start + length, dtype=np.int32)
    return Rendered(ids, np.ones(length, np.float32))


lengths = st.lists(st.integers(2, 129), min_size=1, max_size=60)


@given(lengths)
@settings(max_examples=25, deadline=None)
def test_every_prediction_is_there_once(sizes):
    samples = [sample(size, 1000 * number) for number, size in enumerate(sizes)]
    batches = pack(samples, 128)
    packed = [
        (int(a), int(b))
        for batch in batches
        for a, b in zip(batch.tokens[batch.segments > 0], batch.targets[batch.segments > 0], strict=True)
    ]
    expected = [(int(a), int(b)) for each in samples for a, b in zip(each.ids, each.ids[1:], strict=False)]
    assert sorted(packed) == sorted(expected)
    assert sum(batch.weights.sum() for batch in batches) == sum(size - 1 for size in sizes)


@given(lengths)
@settings(max_examples=25, deadline=None)
def test_two_shapes_are_enough(sizes):
    shapes = {batch.tokens.shape for batch in pack([sample(size) for size in sizes], 128)}
    assert shapes <= {(4, 128), (2, 128)}


@given(st.lists(st.integers(1, 50), max_size=80))
def test_no_row_is_overfull(sizes):
    rows = fill_rows(sizes, 50)
    assert sorted(index for row in rows for index in row) == list(range(len(sizes)))
    assert all(sum(sizes[index] for index in row) <= 50 for row in rows)


def test_segments_count_positions_from_zero():
    batch = pack([sample(5), sample(4, 100)], 64)[0]
    assert batch.segments[0, :8].tolist() == [1, 1, 1, 1, 2, 2, 2, 0]
    assert batch.positions[0, :7].tolist() == [0, 1, 2, 3, 0, 1, 2]


def test_row_lengths_fit():
    assert [row_length(size) for size in (1, 64, 65, 700, 1024, 1025)] == [
        64, 64, 128, 1024, 1024, 2048,
    ]  # fmt: skip


def test_a_few_long_samples_get_rows_of_their_own():
    shapes = [batch.tokens.shape for batch in pack([sample(40), sample(300), sample(900)], 64)]
    assert shapes == [(4, 64), (1, 512), (1, 1024)]


def test_the_usual_length_is_not_set_by_the_longest():
    assert usual_length([50] * 90 + [900] * 10) == 64
    assert usual_length([200] * 5) == 256
    assert usual_length([1000]) == 1024
