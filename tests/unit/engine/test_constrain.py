"""Masks from schemas and grammars, on the shipped tokenizer, without a model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from localfireworks.engine.chat import Renderer
from localfireworks.engine.constrain import BadFormat, Grammars, check_format
from localfireworks.engine.text import token_bytes
from localfireworks.engine.tokens import load_tokenizer

SIZE = 2048
SCHEMA = {
    "type": "object",
    "properties": {"label": {"enum": ["card", "loan"]}, "sure": {"type": "boolean"}},
    "required": ["label", "sure"],
    "additionalProperties": False,
}
FORMS = [
    {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}},
    {"type": "json_schema", "json_schema": SCHEMA},
    {"type": "json_schema", "schema": SCHEMA},
    {"type": "json_object", "schema": SCHEMA},
]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(load_tokenizer())


@pytest.fixture(scope="module")
def grammars(renderer: Renderer) -> Grammars:
    return Grammars(renderer.tokenizer, SIZE, renderer.stop_ids)


def random_answer(grammars: Grammars, renderer: Renderer, asked: dict[str, Any], seed: int) -> str:
    """What a model without any sense writes under the constraint."""
    constraint, draw = grammars.constraint(asked), np.random.default_rng(seed)
    table, said = token_bytes(renderer.tokenizer, SIZE), b""
    assert constraint is not None
    while not constraint.over:
        token = int(draw.choice(np.flatnonzero(constraint.allowed())))
        if token in renderer.stop_ids:
            break
        constraint.take(token)
        said += table[token]
    return said.decode()


@pytest.mark.parametrize("asked", FORMS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_whatever_is_drawn_fits_the_schema(
    grammars: Grammars, renderer: Renderer, asked: dict[str, Any], seed: int
) -> None:
    answer = json.loads(random_answer(grammars, renderer, asked, seed))
    assert set(answer) == {"label", "sure"}
    assert answer["label"] in {"card", "loan"}
    assert isinstance(answer["sure"], bool)


def test_a_grammar_is_followed(grammars: Grammars, renderer: Renderer) -> None:
    asked = {"type": "grammar", "grammar": 'root ::= ("yes" | "no") " " [0-9]'}
    answers = {random_answer(grammars, renderer, asked, seed) for seed in range(20)}
    assert {answer.split()[0] for answer in answers} == {"yes", "no"}
    assert all(answer[-1].isdigit() for answer in answers)


def test_plain_text_has_no_constraint(grammars: Grammars) -> None:
    assert grammars.constraint(None) is None
    assert grammars.constraint({"type": "text"}) is None


def test_any_object_begins_with_a_brace(grammars: Grammars, renderer: Renderer) -> None:
    constraint = grammars.constraint({"type": "json_object"})
    assert constraint is not None
    table = token_bytes(renderer.tokenizer, SIZE)
    assert {table[place][:1] for place in np.flatnonzero(constraint.allowed())} == {b"{"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"type": "xml"}, "'xml' is unknown"),
        ({"type": "json_schema"}, "needs a JSON schema"),
        ({"type": "json_schema", "schema": {"type": "strin"}}, "strin"),
        ({"type": "json_schema", "schema": {"$ref": "#/$defs/none"}}, "none"),
        ({"type": "grammar"}, "GBNF"),
        ({"type": "grammar", "grammar": "root ::= missing"}, "missing"),
    ],
)
def test_a_fault_is_named(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(BadFormat, match=words):
        check_format(asked)
