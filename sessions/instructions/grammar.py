"""The table of phrases compiled into rules, and the search for the reading that leaves the least over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sessions.instructions.patterns import Captures, Compiler, Node, Text
from sessions.instructions.tables import Section, parts, sections, words
from sessions.instructions.terms import TERMS
from sessions.instructions.tokens import Kind, Token, tokenize
from sessions.specification import Context
from sessions.specification.catalogue import atoms

INSTRUCTION = "instruction.grammar"
GLUE, UNITS, HEDGES, COMPOUNDS = words("glue"), words("units"), words("hedges"), words("compounds")
CONSTANTS: dict[str, Any] = {"yes": True, "no": False}
CLOSING = frozenset({",", ".", ";", ":", "!", "?", ")", "]", "(", "—", "–", "-", '"', "`"})
# What a token costs that no phrase covers, in the search for the best reading; a phrase costs COST_PHRASE.
COST_UNKNOWN, COST_GLUE, COST_PUNCTUATION, COST_PHRASE = 1000, 3, 1, 2


@dataclass(frozen=True)
class Rule:
    """`kind` says what to do with a match: value, refuse, unsupported, turn, or act (a reply)."""

    kind: str
    name: str
    constant: Any
    node: Node
    firsts: frozenset[str] | None


@dataclass(frozen=True)
class Match:
    rule: Rule
    start: int
    end: int
    captures: Captures

    @property
    def value(self) -> Any:
        """What the phrase captured (several lists make one), else what its rule stands for."""
        if len(self.captures) > 1 and all(isinstance(each, tuple) for each in self.captures):
            return tuple(item for each in self.captures for item in each)
        return self.captures[-1] if self.captures else self.rule.constant


@dataclass(frozen=True)
class Grammar:
    rules: tuple[Rule, ...]
    vocabulary: frozenset[str]


def rules_of(file: str) -> Iterator[Rule]:
    """The rules of one grammar file."""
    compiler = Compiler(TERMS, parts(file))
    for section in sections(file):
        if section.kind in {"part", "words"}:
            continue
        name, constant = _target(section)
        for phrase in section.phrases:
            node = compiler.compile(phrase)
            yield Rule(section.kind, name, constant, node, node.firsts())


def _target(section: Section) -> tuple[str, Any]:
    """What a section's phrases set, and the constant they set it to."""
    if section.kind == "unsupported":
        return " ".join(section.arguments), None
    name, constant = (*section.arguments, "", "")[:2]
    if constant.isdigit():
        return name, int(constant)
    return name or section.kind, CONSTANTS.get(constant, constant or None)


@cache
def grammar(*files: str) -> Grammar:
    """The grammar of instructions, with more files for replies; compiled once a process."""
    rules = tuple(rule for file in (INSTRUCTION, *files) for rule in rules_of(file))
    literal = {word for rule in rules for word in rule.node.words()}
    return Grammar(rules, frozenset(literal) | GLUE | HEDGES | UNITS)


@dataclass(frozen=True)
class Parse:
    """The best reading: phrases matched, and the tokens that none covers."""

    source: Text
    matches: tuple[Match, ...]
    left: tuple[int, ...]


def parse(text: str, rules: Grammar, context: Context) -> Parse:
    """Cover the text with phrases so that the fewest words are left over; ties go to fewer phrases."""
    names = (name for model in context.catalogue for name in (model.id, model.display_name))
    families = frozenset(first for name in names for first in atoms(name)[:1])
    source = Text(text, tokenize(text), context, rules.vocabulary, families)
    size = len(source.tokens)
    best: list[tuple[int, Match | None]] = [(0, None)] * (size + 1)
    for at in range(size - 1, -1, -1):
        best[at] = (best[at + 1][0] + _cost(source.tokens, at), None)
        for match in _matches(source, rules, at):
            cost = best[match.end][0] + COST_PHRASE
            if cost < best[at][0]:
                best[at] = (cost, match)
    return _walk(source, [match for _, match in best])


def _walk(source: Text, best: list[Match | None]) -> Parse:
    matches: list[Match] = []
    left: list[int] = []
    at = 0
    while at < len(source.tokens):
        match = best[at]
        if match is None:
            left.append(at)
            at += 1
        else:
            matches.append(match)
            at = match.end
    return Parse(source, tuple(matches), tuple(left))


def _cost(tokens: Sequence[Token], at: int) -> int:
    token = tokens[at]
    if token.kind is Kind.PUNCT:
        return COST_PUNCTUATION
    return COST_GLUE if is_glue(tokens, at) else COST_UNKNOWN


def is_glue(tokens: Sequence[Token], at: int) -> bool:
    """True for a word that carries no value; a hyphenated word is one only when it is known as a whole."""
    if tokens[at].kind is not Kind.WORD or tokens[at].norm not in GLUE:
        return False
    first = last = at
    while tokens[first].glued:
        first -= 1
    while last + 1 < len(tokens) and tokens[last + 1].glued:
        last += 1
    return first == last or "-".join(token.norm for token in tokens[first : last + 1]) in COMPOUNDS


def _matches(source: Text, rules: Grammar, at: int) -> Iterator[Match]:
    if source.tokens[at].glued:
        return
    word = source.tokens[at].norm
    for rule in rules.rules:
        if rule.firsts is not None and word not in rule.firsts:
            continue
        ends: dict[int, Captures] = {}
        for end, captures in rule.node.match(source, at):
            ends.setdefault(end, captures)
        for end, captures in ends.items():
            if end > at and _ends_well(source, end):
                yield Match(rule, at, end, captures)


def _ends_well(source: Text, end: int) -> bool:
    """No hyphen goes on, and a number at the end is not the count of something that follows."""
    if end == len(source.tokens):
        return True
    following, last = source.tokens[end], source.tokens[end - 1]
    if following.glued:
        return False
    if last.value is None or last.norm == "one" or following.breaks:
        return True
    if following.kind is Kind.PUNCT:
        return following.norm in CLOSING
    known = following.norm in source.vocabulary - UNITS - HEDGES
    return following.kind is Kind.WORD and following.value is None and known
