"""What a form says of all labels at once, as changes that follow each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.labelling import relabelled
from workflows.data.labels_changes import renamed

LABELS = ["a", "b", "c", "d", "e"]


def applied(new: list[str], dropped: list[str], labels: list[str]) -> dict[str, str]:
    text = relabelled({"label_new": new, "label_drop": dropped}, {"labels": {"set": labels}}, "")
    made, idle = renamed(labels, text.split("; ") if text else [])
    assert not idle
    return made


@pytest.mark.parametrize(
    ("new", "dropped", "made"),
    [
        (["b", "a"], [], {"a": "b", "b": "a"}),
        (["b", "c", "c"], [], {"a": "b", "b": "c", "c": "c"}),
        (["b", "c", "a"], [], {"a": "b", "b": "c", "c": "a"}),
        (["b", ""], ["1"], {"a": "b", "b": ""}),
        (["b", "a", "a", "a (2)"], [], {"a": "b", "b": "a", "c": "a", "d": "a (2)"}),
    ],
    ids=["swap", "chain", "round", "in place of a dropped one", "and others"],
)
def test_labels_are_renamed_at_once(new: list[str], dropped: list[str], made: dict[str, str]) -> None:
    assert applied(new, dropped, sorted(made)) == made


def test_long_labels_change_places_within_the_limit() -> None:
    long = ["x" * 80, "y" * 80]
    text = relabelled({"label_new": long[::-1]}, {"labels": {"set": long}}, "a -> b")
    first, *changes = text.split("; ")
    assert first == "a -> b"
    assert all(len(side) <= 80 for each in changes for side in each.split(" -> "))
    assert renamed(long, changes)[0] == dict(zip(long, long[::-1], strict=True))


@given(
    st.lists(st.sampled_from([*LABELS, "f", ""]), min_size=5, max_size=5), st.sets(st.sampled_from("01234"))
)
def test_any_form(new: list[str], dropped: set[str]) -> None:
    made = applied(new, sorted(dropped), LABELS)
    assert made == {label: "" if str(at) in dropped else new[at] or label for at, label in enumerate(LABELS)}
