"""Labels as read from rows: from `ground_truth`, or from the last assistant message by one rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.data.labels.rows import chat, file
from workflows.data.labels import asked, read
from workflows.data.labels_extraction import choose


def test_ground_truth_may_be_a_text_a_list_or_a_number(tmp_path: Path) -> None:
    rows = [
        chat("a", ground_truth="billing"),
        chat("b", ground_truth=["sales", "billing"]),
        chat("c", ground_truth=7),
        chat("d", "x", ground_truth={"label": "sales"}),
        chat("e", ground_truth=2.5),
    ]
    found = read(file(tmp_path, rows))
    assert [row.labels for row in found.rows] == [("billing",), ("sales", "billing"), ("7",), ("2.5",)]
    assert found.notes["odd"].rows[0].line == 4
    assert {"text", "list", "number"} <= found.notes.keys()
    assert found.rule is None


def test_a_label_stands_on_one_line(tmp_path: Path) -> None:
    rows = [
        chat("a", ground_truth=" two\nlines\u0000"),
        chat("b", ground_truth=["x\ty "]),
        chat("c", ground_truth="\n"),
    ]
    found = read(file(tmp_path, rows))
    assert [row.labels for row in found.rows] == [("two lines",), ("x y",)]
    assert found.notes["odd"].rows[0].line == 3


def test_without_ground_truth_the_last_assistant_message_is_the_label(tmp_path: Path) -> None:
    rows = [chat("where is my card", " card_arrival "), chat("hi", "greeting")] * 3
    found = read(file(tmp_path, rows))
    assert found.counts == {"card_arrival": 3, "greeting": 3}
    assert found.rule is not None
    assert "whole" in found.rule.words
    assert found.examples[0].labels == ("card_arrival",)
    assert found.examples[0].line == 1


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        ([f'{{"label": "spam", "p": 0.{each}}}' for each in range(10)], ("spam",)),
        ([f"It offers money {each} times.\nLabel: **spam**" for each in range(10)], ("spam",)),
        (
            [f"Reasoning number {each}, which is long and different each time.\nspam" for each in range(10)],
            ("spam",),
        ),
        (["Label: spam", "label: spam", "Category: spam"], ("spam",)),
        (['```json\n{"labels": ["a", "b"]}\n```'] * 4, ("a", "b")),
    ],
)
def test_the_rule_that_finds_what_recurs_is_chosen(texts: list[str], labels: tuple[str, ...]) -> None:
    rule = choose(texts)
    assert rule is not None
    assert {rule.find(text) for text in texts} == {labels}


def test_given_labels_decide_the_rule() -> None:
    texts = ["I would say this is about billing, clearly.", "Probably sales."]
    rule = choose(texts, ["billing", "sales"])
    assert rule is not None
    assert [rule.find(text) for text in texts] == [("billing",), ("sales",)]
    assert rule.find("billing or sales") == ()


def test_no_rule_fits_essays() -> None:
    assert choose([f"An essay of number {each}. " * 20 for each in range(5)]) is None


def test_what_is_asked_ends_before_the_answer() -> None:
    assert asked(chat("a", "b")) == [{"role": "user", "content": "a"}]
    assert asked(chat("a", ground_truth="b")) == [{"role": "user", "content": "a"}]
    turns = chat("a", "b", ground_truth="c")["messages"]
    later = {"messages": [*turns, {"role": "user", "content": "d"}], "ground_truth": "c"}
    assert asked(later) == later["messages"]


def test_equal_conversations_have_equal_digests(tmp_path: Path) -> None:
    found = read(file(tmp_path, [chat("a", "x"), chat("a", "y"), chat("b", "x")]))
    first, second, third = (row.digest for row in found.rows)
    assert first == second != third
    other = read(file(tmp_path, [chat("a", "x")]), seed=7)
    assert other.rows[0].digest != first
