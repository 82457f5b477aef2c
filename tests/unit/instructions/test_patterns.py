"""The notation of phrases."""

from __future__ import annotations

from typing import Any

import pytest

from sessions.instructions.grammar import grammar
from sessions.instructions.patterns import Compiler, Text
from sessions.instructions.terms import TERMS
from sessions.instructions.tokens import tokenize

COMPILER = Compiler(TERMS, {"kind": "big|small"})


def ends(pattern: str, text: str) -> set[tuple[int, tuple[Any, ...]]]:
    return set(COMPILER.compile(pattern).match(Text(text, tokenize(text)), 0))


@pytest.mark.parametrize(
    ("pattern", "text", "reached"),
    [
        ("a b", "a b", {2}),
        ("a b", "A-B", {2}),
        ("a b", "a c", set()),
        ("a [b] c", "a c", {2}),
        ("a [b] c", "a b c", {3}),
        ("a [b]", "a b", {1, 2}),
        ("(a|b c) d", "b c d", {3}),
        ("rank~", "ranks", {1}),
        ("{kind} x", "small x", {2}),
        ("x", "", set()),
    ],
)
def test_matching(pattern: str, text: str, reached: set[int]) -> None:
    assert {end for end, _ in ends(pattern, text)} == reached


def test_terms_capture_and_can_be_forgotten() -> None:
    assert ends("a <number> b", "a 5 b") == {(3, (5,))}
    assert ends("a <-number> b", "a 5 b") == {(3, ())}
    assert {captured for _, captured in ends("<numbers>", "8, 16 and 32")} == {
        ((8,),),
        ((8, 16),),
        ((8, 16, 32),),
    }


@pytest.mark.parametrize("pattern", ["(a", "a)", "[a", "a]", "(a]", "a (b|c"])
def test_unbalanced_brackets_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="unbalanced brackets"):
        COMPILER.compile(pattern)


def test_firsts_never_leave_out_a_way_to_begin() -> None:
    """What rules begin with is only a shortcut: each rule that a word begins is tried there."""
    rules = grammar("reply.grammar")
    for word in {word for rule in rules.rules for word in rule.node.words()}:
        source = Text(word, tokenize(word))
        tried = set(rules.beginning(source, 0))
        assert [rule for rule in rules.rules if rule not in tried and list(rule.node.match(source, 0))] == []


@pytest.mark.parametrize("text", ["8, 16 and 32", "qwen3 8b", "upload:a1", "$20", "odd-name", "70/30"])
def test_a_rule_that_a_term_begins_is_tried_too(text: str) -> None:
    rules, source = grammar("reply.grammar"), Text(text, tokenize(text), families=frozenset({"qwen"}))
    tried = set(rules.beginning(source, 0))
    assert any(source.finds(term, 0) for term in rules.openings)
    assert [rule for rule in rules.rules if rule not in tried and list(rule.node.match(source, 0))] == []
