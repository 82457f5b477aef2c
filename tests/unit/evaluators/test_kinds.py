"""From a sentence and rows to a rule and its settings."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.evaluators.kinds import KINDS, DoesNotFit, said, unchecked
from workflows.evaluators.samples import Seen, look, sample_of
from workflows.evaluators.schemas import inferred
from workflows.evaluators.writing import code

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("criterion", "kinds"),
    [
        ("the final number must match", ["numeric"]),
        ("The value after #### must be right", ["numeric"]),
        ("exact match of the answer", ["exact"]),
        ("the label must match exactly", ["one_of", "exact"]),
        ("one of yes, no, maybe", ["one_of"]),
        ("valid JSON with the same fields", ["json_schema", "exact"]),
        ("it must mention 'the final number' and 'label'", ["facts"]),
        ("the model's answer must contain the reference's facts", ["facts"]),
        ("the same SQL as the reference", ["exact"]),
        ("the SQL must be the same", ["exact"]),
        ("the answer must not mention prices", []),
        ("exactly the reference, ignoring case is wrong, not case-sensitive", ["exact"]),
        ("a friendly tone", []),
    ],
)
def test_words_name_kinds(criterion: str, kinds: list[str]) -> None:
    assert [kind.name for kind in said(criterion)] == kinds


def test_every_offer_is_understood_as_itself() -> None:
    assert all(said(kind.offer)[0] is kind for kind in KINDS.values())


def test_what_a_rule_does_not_speak_of_is_told() -> None:
    kind = KINDS["numeric"]
    assert unchecked(kind, "the final number must match and the tone is polite") == ["the tone is polite"]
    assert unchecked(kind, "the final number must match") == []


def seen(*answers: Any, prompts: bool = False) -> Seen:
    """Rows with these answers, as assistant messages or as ground truth."""
    user = {"role": "user", "content": "?"}
    rows = [
        {"messages": [user], "ground_truth": each}
        if prompts
        else {"messages": [user, {"role": "assistant", "content": each}]}
        for each in answers
    ]
    return look([sample_of(at, row) for at, row in enumerate(rows, 1)], seed=42)


def test_rows_without_an_answer_are_counted_and_left_out() -> None:
    rows = [None, {}, {"messages": []}, {"messages": [{"role": "user", "content": "?"}]}, {"messages": ["x"]}]
    found = look([sample_of(at, row) for at, row in enumerate(rows)], seed=1)
    assert (found.rows, found.usable) == (5, 0)


def test_the_sample_is_the_same_each_time() -> None:
    answers = [str(at) for at in range(300)]
    lines = [[each.line for each in seen(*answers).kept] for _ in range(2)]
    assert lines[0] == lines[1] == sorted(lines[0])
    assert len(lines[0]) == 40


def test_settings_come_from_the_data() -> None:
    assert KINDS["numeric"].settings(seen("1 #### 2", "#### 3"), "number") == {"MARKERS": ("####",)}
    assert KINDS["one_of"].settings(seen(*"abab"), "label") == {"LABELS": ("a", "b")}
    assert KINDS["exact"].settings(seen("a", "b"), "same, ignoring case") == {"IGNORE_CASE": True}
    assert KINDS["facts"].settings(seen("a", "b"), "must mention 'x' and “y z”") == {"FACTS": ("x", "y z")}
    shape = KINDS["json_schema"].settings(seen({"a": 1}, {"a": 2.5, "b": None}, prompts=True), "JSON")
    fields = {"a": {"type": "number"}, "b": {"type": "null"}}
    assert shape == {
        "SCHEMA": {"type": "object", "properties": fields, "required": ["a"]},
        "COMPARE_VALUES": True,
    }


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("numeric", ("1", "two")), ("one_of", ("a", "a")), ("one_of", ("a", "b", "c", "d")),
        ("one_of", ("a" * 80, "b") * 3), ("json_schema", ('{"a": 1}', "3")), ("exact", ("x" * 500, "y")),
        ("facts", ("ok", "no")),
    ],
)  # fmt: skip
def test_what_does_not_fit_says_why(kind: str, answers: tuple[str, ...]) -> None:
    with pytest.raises(DoesNotFit):
        KINDS[kind].settings(seen(*answers), "")


def test_few_texts_seen_often_are_known_values() -> None:
    assert inferred(["a", "b"] * 4) == {"type": "string", "enum": ["a", "b"]}
    assert inferred(["a", "b"]) == {"type": "string"}
    assert inferred([True, 1]) == {"type": ["boolean", "integer"]}


@pytest.mark.parametrize("name", KINDS)
def test_the_written_file_is_whole(name: str) -> None:
    """It compiles, needs nothing of ours, and the words of a person cannot break out of its docstring."""
    answers = {"json_schema": ['{"a": 1}', '{"a": 2}'], "one_of": ["a", "b", "a", "b"]}
    kind = KINDS[name]
    rows = seen(*answers.get(name, ["It was 1843 in London #### 1", "It was Paris #### 2"]))
    criterion = 'say """\nimport os\n""" \\'
    text = code(kind, kind.settings(rows, kind.offer), criterion)
    space: dict[str, Any] = {"__name__": "written"}
    exec(compile(text, "evaluator.py", "exec"), space)
    assert "workflows" not in text
    assert "spoil" not in text
    answer = rows.kept[0].answer
    found = space["evaluate"]([{"role": "assistant", "content": answer}], answer)
    assert found["score"] == 1
    assert text == code(kind, kind.settings(rows, kind.offer), criterion)
