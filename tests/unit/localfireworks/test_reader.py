"""The stand-in reader goes by the schema and the text alone."""

import json

import pytest

from localfireworks.reader import reading


def field(title, **value):
    return {"title": title, "properties": {"quote": {"type": "string"}, "value": value}}


PROPERTIES = {
    "ranks": field("LoRA ranks", type="array", items={"type": "integer", "enum": [8, 16, 32]}),
    "epochs": field("Epochs", type="integer", minimum=1, maximum=100),
    "rate": field("Learning rate", type="number", minimum=1e-7, maximum=1e-2),
    "way": field("Strategy", type="string", enum=["loss", "judge"]),
    "deploy": field("Deploy", type="boolean"),
}


def read(text, properties=None):
    schema = {"type": "object", "properties": PROPERTIES if properties is None else properties}
    asked = [{"role": "system", "content": "Epochs 5"}, {"role": "user", "content": text}]
    return json.loads(reading(asked, {"type": "json_schema", "json_schema": {"schema": schema}}))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a rank of sixteen", {"ranks": ("rank of sixteen", [16])}),
        ("ranks be 8 or 32, 24 never", {"ranks": ("ranks be 8 or 32", [8, 32])}),
        ("about three epochs", {"epochs": ("three epochs", 3)}),
        ("a rate of, er, 2e-4", {"rate": ("rate of, er, 2e-4", 2e-4)}),
        ("my strategy is the JUDGE", {"way": ("strategy is the JUDGE", "judge")}),
        ("please no deploy", {"deploy": ("please no deploy", False)}),
        ("epochs 500", {}),
        ("nothing of it", {}),
        (json.dumps({"words": "some 4 epochs", "not_understood": ["7 epochs"]}), {"epochs": ("4 epochs", 4)}),
    ],
)
def test_values_stand_near_the_words_of_a_title(text, found):
    assert read(text) == {name: {"quote": quote, "value": value} for name, (quote, value) in found.items()}


def test_another_schema_gives_another_answer():
    assert read("three epochs", {}) == {}
    assert read("three epochs", {"epochs": {"type": "integer"}}) == {}
    passes = {"n": field("Passes", type="integer")}
    assert read("three epochs or four passes", passes)["n"]["value"] == 4
