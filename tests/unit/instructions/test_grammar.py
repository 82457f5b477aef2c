"""The grammar against itself: every phrase of an instruction is read as what its section sets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from sessions.instructions import read
from sessions.instructions.grammar import Rule, grammar
from sessions.instructions.patterns import Captured, Choice, Node, Series, Word
from sessions.instructions.terms import TERMS
from tests.unit.specification.examples import CATALOGUE

SAMPLES = {
    "number": "4",
    "numbers": "4, 8",
    "share": "30%",
    "kept": "70%",
    "split": "70/30",
    "money": "$5",
    "models": "qwen3-8b",
    "served": "kimi-k3",
    "dataset": "accounts/acme/datasets/x",
    "evaluator": "accounts/acme/evaluators/x",
    "uploaded": "upload:Ab_9-",
    "id": "my-thing",
    "labels": "red, green",
    "quoted": '"short"',
    "rest": "it is short",
    "few": "small messages",
    "relabel": "refund to billing",
    "merge": "card_lost and card_stolen into card_gone",
    "unlabel": "spam, other",
}
TOLD = {"number": "2", "share": "70%"}  # what goes before a list of two, or before the share above
NAMES = {term: name for name, term in TERMS.items()}
# What the number stands for decides what can be taken.
FITTING = {
    "learning_rates": {"numbers": "1e-4, 5e-5"},
    "betas": {"numbers": "0.1, 0.3"},
    "serving_order": {"": "batch inference"},  # a term that the grammar itself defines
}
Pick = Callable[[tuple[Node, ...]], Node]


def written(node: Node, pick: Pick, *, all_of_it: bool, field: str) -> Iterator[str]:
    """One way to write a phrase: with or without what may be left out, one of each choice."""
    match node:
        case Word():
            yield min(node.forms, key=len)
        case Series():
            for part in node.parts:
                yield from written(part, pick, all_of_it=all_of_it, field=field)
        case Choice():
            if all_of_it or not node.optional:
                yield from written(pick(node.options), pick, all_of_it=all_of_it, field=field)
        case Captured():
            name = NAMES.get(node.term, "")
            fitting = (TOLD if node.told else FITTING.get(field, {})).get(name)
            yield fitting or SAMPLES.get(name, "a win rate above 60%")


def sentences(rule: Rule) -> set[str]:
    picks: list[Pick] = [lambda options: options[0], lambda options: options[-1]]
    ways = itertools.product(picks, (True, False))
    texts = (written(rule.node, pick, all_of_it=whole, field=rule.name) for pick, whole in ways)
    return {" ".join(text) for text in texts}


RULES = [rule for rule in grammar().rules if rule.kind == "value"]


@pytest.mark.parametrize("name", sorted({rule.name for rule in RULES}))
def test_every_phrase_sets_what_its_section_says(name: str) -> None:
    """No phrase crashes, is shadowed by another, or is taken back by a doubt of its own."""
    missed = []
    rules = [rule for rule in RULES if rule.name == name]
    texts = [(text, rule) for rule in rules for text in sentences(rule)]
    for text, rule in texts:
        found = read(text, CATALOGUE, account="me", served=CATALOGUE)
        at_fault = {error.field for error in found.errors}
        if not set(dict(rule.sets)) <= {*found.entries, *at_fault}:
            missed.append(text)
    assert missed == []
