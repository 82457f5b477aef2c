"""What two files share, by line."""

from __future__ import annotations

from tests.unit.data.conftest import chat
from tests.unit.data.test_sketches import pairs
from workflows.data.overlap import Overlap, between


def test_shared_rows_are_counted_exactly_and_nearly(write):
    texts, changed = pairs(40, 0.975)
    left = write(*[chat(text, "yes") for text in texts[:30]], name="left")
    right = write(
        *[chat(text, "no") for text in texts[40:50]],
        "",
        chat(texts[3], "yes"),
        chat(texts[5], "yes"),
        chat(changed[7], "yes"),
        chat("short", "one"),
        name="right",
    )
    assert between(left, right) == Overlap(14, 2, 1, ((12, 4), (13, 6), (14, 8)))


def test_copies_within_one_file_are_not_shared(write):
    left, right = write(chat("a", "b"), chat("a", "b"), name="left"), write(chat("c", "d"), name="right")
    assert between(left, right) == Overlap(rows=1)
    assert between(right, left) == Overlap(rows=2)


def test_empty_files_share_nothing(write):
    assert between(write(name="left"), write(name="right")) == Overlap()
