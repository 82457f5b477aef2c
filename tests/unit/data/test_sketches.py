"""Near duplicates: found when texts share most words, not when they share half; copies are not counted."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.unit.data.conftest import chat
from workflows.data.inspection import inspect
from workflows.data.sketches import Sketches, near, shared

PAIRS = 300


def sketched(texts: list[str], share: int = 0) -> Sketches:
    parts = [text.encode() for text in texts]
    sizes = np.array([len(part) for part in parts])
    made = Sketches(share=share)
    made.add(b"".join(parts), np.cumsum(sizes) - sizes, np.cumsum(sizes), np.arange(len(parts)), len(parts))
    return made


def pairs(words: int, kept: float) -> tuple[list[str], list[str]]:
    """Texts, and the same with a run of words replaced."""
    draw = random.Random(1)
    vocabulary = ["".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(2000)]
    left, right = [], []
    for _ in range(PAIRS):
        text = draw.choices(vocabulary, k=words)
        count = round(words * (1 - kept))
        changed, at = list(text), draw.randrange(words - count)
        changed[at : at + count] = draw.choices(vocabulary, k=count)
        left.append(" ".join(text))
        right.append(" ".join(changed))
    return left, right


@pytest.mark.parametrize(
    ("words", "kept", "least", "most"),
    [(40, 0.95, 0.9, 1), (200, 0.95, 0.95, 1), (200, 0.9, 0.8, 1), (200, 0.5, 0, 0.02), (40, 0.5, 0, 0.02)],
)
def test_the_error_is_as_documented(words, kept, least, most):
    left, right = pairs(words, kept)
    later, earlier = near(sketched([*left, *right]).values)
    right_ones = later - PAIRS == earlier
    assert least <= np.count_nonzero(right_ones) / PAIRS <= most
    assert np.count_nonzero(~right_ones) <= 1
    first = sketched(left)
    second = sketched(right, share=first.share)
    found, partner = shared(first.values, second.values)
    assert least <= np.count_nonzero(found == partner) / PAIRS <= most


def test_short_texts_are_compared_exactly_only():
    assert near(sketched(["yes please", "yes, please"] * 20).values)[0].size == 0


def test_an_inspection_names_copies_and_near_copies_by_line(write):
    story = (
        "The quick brown fox jumps over the lazy dog while the band plays on and nobody in town is awake. "
    )
    rows = [chat(f"Tell me story {at}", text) for at, text in enumerate(pairs(30, 1.0)[0][:20])]
    told, again = chat("A story?", story * 3), chat("A story?", story * 3 + "Good night.")
    found = inspect(write(*rows, told, *rows[:2], again, ""))
    assert (found.duplicates, found.near_duplicates) == (2, 1)
    assert [(each.line, each.rule) for each in found.repeats] == [
        (22, "row.copy"),
        (23, "row.copy"),
        (24, "row.near-copy"),
    ]
    assert "line 21" in found.repeats[-1].message
    assert found.problem_counts == {}


def test_rows_that_share_only_their_system_message_do_not_repeat_each_other(write):
    system = {"role": "system", "content": "You are the assistant of a bank. Be kind, brief and exact. " * 20}
    texts = pairs(12, 1.0)[0][:40]
    rows = [{"messages": [system, *chat(text, f"Answer {at}")["messages"]]} for at, text in enumerate(texts)]
    assert inspect(write(*rows)).near_duplicates == 0
