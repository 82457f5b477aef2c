"""How prompts are laid out for a pass."""

import numpy as np
import pytest

from localfireworks.engine.reading import Part, passes, width_of

MOST = 1024


@pytest.mark.parametrize(
    ("length", "width"),
    [(1, 32), (32, 32), (33, 48), (49, 64), (65, 96), (97, 128), (700, 768), (1000, 1024)],
)
def test_a_width_is_a_power_of_two_or_half_as_much_again(length, width):
    assert width_of(length, MOST) == width
    assert width_of(length, 40) == min(width, 40)


def test_every_token_of_every_part_is_laid_out_once():
    draw = np.random.default_rng(3)
    parts = [
        Part(draw.integers(1, 2000, size).astype(np.int32), begun)
        for size, begun in zip(draw.integers(1, 90, 70), draw.integers(0, 50, 70), strict=True)
    ]
    seen = []
    for each in passes(parts, MOST):
        flat = [array.reshape(-1) for array in each[:4]]
        for number, start in zip(each.numbers, each.starts, strict=True):
            part, here = parts[number], slice(start, start + len(parts[number].ids))
            tokens, positions, segments, shared = (array[here] for array in flat)
            assert tokens.tolist() == part.ids.tolist()
            assert positions.tolist() == list(range(part.begun, part.begun + len(part.ids)))
            assert len(set(segments)) == 1
            assert set(shared) == {part.begun}
        seen += each.numbers
    assert sorted(seen) == list(range(70))


def test_parts_of_like_length_leave_little_room_between_them():
    parts = [Part(np.ones(size, np.int32), 0) for size in range(9, 41) for _ in range(2)]
    laid = sum(each.tokens.size for each in passes(parts, MOST))
    assert sum(len(part.ids) for part in parts) > 0.8 * laid
