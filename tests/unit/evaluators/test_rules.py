"""The rules of written evaluators."""

from __future__ import annotations

import json

import pytest

from workflows.evaluators.rules import exact, facts, json_schema, numeric, one_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so 4 + 5 = 9\n#### 1,234", 1234), ("It costs $5.50.", 5.5), ("#### -3 and not 7", -3),
        ("between 10-12", 12), ("x is −4", -4), ("\\boxed{7} is 8", 7), ("one half is 2/4", 0.5),
        ("1e3", 1000), ("none", None), ("", None), ("7c9e82345678", 7), ("7 for c9e82345678", 7),
        ("1e82345678", 1), ("CO2", None), ("EUR5.50", None), ("EUR1,234", None), ("5kg", 5), ("US$5", 5),
        ("a,b,5", 5), ("x_4", 4), ("1,2345", 2345), ("[1,2,3]", 3),
    ],
)  # fmt: skip
def test_the_final_number(text: str, number: float | None) -> None:
    assert numeric.final_number(text) == number


def test_numbers_are_compared_by_value() -> None:
    assert numeric.compare("that makes 72.0", "#### 72")[0] == 1
    assert numeric.compare("that makes 71", "72") == (0.0, "the final number is 71; 72 was expected")
    assert numeric.compare("I do not know", "72")[0] == 0
    with pytest.raises(ValueError, match="no number"):
        numeric.compare("72", "many")


@pytest.mark.parametrize(
    ("answer", "right"), [("Yes.", 1), (" 'YES' ", 1), ("no", 0), ("yes, it is", 0), ("", 0)]
)
def test_labels(answer: str, right: float) -> None:
    assert one_of.compare(answer, "yes")[0] == right


@pytest.mark.parametrize(
    ("answer", "right"), [("a  b\nc", 1), (" a b c ", 1), ("A b c", 0), ("a b", 0), ("abc", 0)]
)
def test_exact_text(answer: str, right: float) -> None:
    assert exact.compare(answer, "a b c")[0] == right


@pytest.mark.parametrize(
    ("answer", "right", "reason"),
    [
        ('{"name": "Ada"}', 1, "the same values"),
        ('```json\n{"name": "Ada"}\n```', 1, "the same values"),
        ('{"name": "Bob"}', 0, "other values in $.name"),
        ('{"name": 3}', 0, "$.name is not of type string"),
        ('{"name": "Ada", "age": 3}', 0, "$.age is not a known field"),
        ("{}", 0, "$.name is missing"),
        ("[]", 0, "$ is not of type object"),
        ("Ada", 0, "the answer is not JSON"),
    ],
)
def test_json(answer: str, right: float, reason: str) -> None:
    assert json_schema.compare(answer, '{"name": "Ada"}') == (right, reason)


def test_facts_are_numbers_and_names() -> None:
    expected = "The tower in Paris was built by Gustave Eiffel in 1889."
    assert facts.facts_of(expected) == ["1889", "Paris", "Gustave", "Eiffel"]
    assert facts.compare("eiffel built it in 1889 in Paris, gustave that is", expected)[0] == 1
    assert facts.compare("It was built in 18890", expected)[0] == 0
    assert facts.mentioned("####", facts.flat("5 #### 6"), "5 #### 6")
    assert not facts.mentioned("####", facts.flat("5 ## 6"), "5 ## 6")
    assert facts.compare("In Paris, 1889", expected) == (0.5, "2 of 4 facts; missing: Gustave, Eiffel")


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        (numeric, "2 + 2 = 4\n#### 4"), (numeric, "It is 4."), (one_of, "yes"), (exact, "a b c"),
        (exact, "a"), (json_schema, json.dumps({"name": "Ada"})), (facts, "It was Ada in London in 1843."),
    ],
)  # fmt: skip
def test_a_spoiled_answer_scores_low(rule: object, answer: str) -> None:
    assert rule.compare(answer, answer)[0] == 1  # type: ignore[attr-defined]
    assert rule.compare(rule.spoil(answer), answer)[0] <= 0.5  # type: ignore[attr-defined]
