"""Answers that keep to a JSON schema or a grammar: in each step only tokens that can still lead there.

llguidance follows the text byte by byte and gives a mask over the vocabulary; nothing is checked afterwards
and nothing is asked twice. JSON is written in one form, `{"a": 1, "b": [2, 3]}`: a small model that may put
spaces anywhere puts nothing else.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLTokenizer, grammar_from
from tokenizers import Tokenizer

from localfireworks.engine.asking import Refused

ANY_OBJECT: dict[str, Any] = {"type": "object"}
FORM: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
KINDS = ("text", "json_object", "json_schema", "grammar")
LONGEST_FAULT = 300


class BadFormat(Refused):
    """A `response_format` that cannot be followed; says what is wrong with it."""


def schema_in(response_format: dict[str, Any]) -> Any:
    """The schema of `{"json_schema": {"schema": …}}`, `{"json_schema": …}` or `{"schema": …}`."""
    given = response_format.get("json_schema")
    if isinstance(given, dict) and "schema" in given:
        return given["schema"]
    return response_format.get("schema") if given is None else given


def grammar_of(response_format: dict[str, Any] | None) -> str | None:
    """The grammar that a `response_format` asks for; None for plain text."""
    if response_format is None:
        return None
    kind = response_format.get("type", "text")
    if kind not in KINDS:
        raise BadFormat(f"response_format.type {kind!r} is unknown: use one of {', '.join(KINDS)}")
    if kind == "text":
        return None
    if kind == "grammar":
        return _from_grammar(response_format.get("grammar"))
    schema = schema_in(response_format)
    if kind == "json_schema" or schema is not None:
        return _from_schema(schema)
    return _from_schema(ANY_OBJECT)


def _from_schema(schema: Any) -> str:
    if not isinstance(schema, dict):
        raise BadFormat('response_format needs a JSON schema: "json_schema": {"name": …, "schema": {…}}')
    return str(LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=FORM))


def _from_grammar(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise BadFormat('response_format of type grammar needs "grammar": a GBNF text with a rule root')
    try:
        return str(grammar_from("gbnf", text))
    except ValueError as error:
        raise BadFormat(f"response_format.grammar: {error}") from error


def check_format(response_format: dict[str, Any] | None) -> None:
    """BadFormat names what keeps a `response_format` from being followed, whatever the model."""
    grammar = grammar_of(response_format)
    if grammar is not None and (fault := LLMatcher.validate_grammar(grammar)):
        raise BadFormat(f"response_format cannot be followed: {shortened(fault)}")


def shortened(fault: str) -> str:
    """What llguidance says, without its inner state."""
    return fault.split("\n<state>")[0].strip()[:LONGEST_FAULT]


class Grammars:
    """Makes constraints over the vocabulary of one model."""

    def __init__(self, tokenizer: Tokenizer, vocabulary: int, stop_ids: tuple[int, ...]) -> None:
        self._vocabulary = vocabulary
        self._tokenizer = LLTokenizer(
            tokenizer.to_str(), n_vocab=max(vocabulary, tokenizer.get_vocab_size()), eos_token=list(stop_ids)
        )

    def constraint(self, response_format: dict[str, Any] | None) -> Constraint | None:
        """What keeps an answer to the format; None for plain text. BadFormat names what is wrong with it."""
        grammar = grammar_of(response_format)
        if grammar is None:
            return None
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise BadFormat(f"response_format cannot be followed: {shortened(matcher.get_error())}")
        return Constraint(matcher, self._vocabulary)


class Constraint:
    """How far one answer is in its grammar."""

    def __init__(self, matcher: LLMatcher, vocabulary: int) -> None:
        self._matcher, self._vocabulary = matcher, vocabulary

    @property
    def over(self) -> bool:
        """Whether nothing can follow: the format is complete, or its grammar grew past all limits."""
        return bool(self._matcher.is_stopped())

    def allowed(self) -> np.ndarray:
        """Which tokens may come next, [V] of bool."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        return np.unpackbits(bits, bitorder="little")[: self._vocabulary].astype(bool)

    def take(self, token: int) -> None:
        self._matcher.consume_token(token)
