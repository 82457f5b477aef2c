"""The confusion matrix as a picture, with whatever labels the data have."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from workflows.phases.classification.pictures import confusion_of, draw_confusion

ODD = ["$5 and $10", r"\frac{", "<script>", "a" * 80, "ümlaut"]


def body(labels: list[str]) -> dict[str, object]:
    """A matrix with right answers and one mistake a label; the last column is outside the set."""
    count = len(labels)
    return {
        "labels": labels,
        "matrix": [[3 if at == to else int(to == at + 1) for to in range(count + 1)] for at in range(count)],
    }


@pytest.mark.parametrize("labels", [ODD, [f"label {at}" for at in range(77)]], ids=["odd", "many"])
def test_any_labels_can_be_drawn(labels: list[str]) -> None:
    drawn = draw_confusion(body(labels), "x")
    root = ElementTree.fromstring(drawn)
    assert "script" not in {each.tag.rpartition("}")[2] for each in root.iter()}
    assert "var(--chart-2" in drawn
    assert len(drawn) < 400_000


def test_the_same_rows_give_the_same_bytes() -> None:
    drawn = draw_confusion(body(ODD), "x")
    confusion_of.cache_clear()
    assert draw_confusion(body(ODD), "x") == drawn


def test_cells_have_their_numbers_where_they_fit() -> None:
    texts = [each.text for each in ElementTree.fromstring(draw_confusion(body(ODD), "x")).iter() if each.text]
    assert texts.count("3") == len(ODD)
    assert "$5 and $10" in texts
