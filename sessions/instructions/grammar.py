"""The table of phrases compiled into rules, and the search for the reading that leaves the least over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from sessions.instructions.numerals import numbers
from sessions.instructions.patterns import Captures, Compiler, Firsts, Node, Term, Text, Told, may_begin
from sessions.instructions.tables import Section, parts, sections, words
from sessions.instructions.terms import TERMS
from sessions.instructions.tokens import Kind, Token, tokenize
from sessions.specification import Context, Specification
from sessions.specification.catalogue import atoms

INSTRUCTION = "instruction.grammar"
GLUE, UNITS, HEDGES, COMPOUNDS = words("glue"), words("units"), words("hedges"), words("compounds")
LISTED = words("listed")
CONSTANTS: dict[str, Any] = {"yes": True, "no": False}
CLOSING = frozenset({",", ".", ";", ":", "!", "?", ")", "]", "(", "—", "–", "-", '"', "`"})
# What a token costs that no phrase covers, in the search for the best reading; a phrase costs COST_PHRASE.
COST_UNKNOWN, COST_GLUE, COST_PUNCTUATION, COST_PHRASE = 1000, 3, 1, 2


MOST_COUNTED = 4  # a number up to this before a list may be a wrong count of it
LINKS = frozenset({"of", "is", "are", "in", "at", ":", "="})  # between a noun and its numbers
ANY = ""  # in the index: a word that no phrase begins with
CAPTURED = object()  # in place of a constant: the field takes what the phrase captured


@dataclass(frozen=True)
class Rule:
    """`kind` says what to do with a match: value, refuse, unsupported, turn, deny; in replies also act, ask,
    edit.

    `sets` are the fields that a match gives a value, each with its constant or CAPTURED.
    """

    kind: str
    name: str
    sets: tuple[tuple[str, Any], ...]
    node: Node
    firsts: Firsts | None


@dataclass(frozen=True)
class Match:
    rule: Rule
    start: int
    end: int
    captures: Captures

    @property
    def value(self) -> Any:
        """What the phrase captured; several lists make one."""
        if len(self.captures) > 1 and all(isinstance(each, tuple) for each in self.captures):
            return tuple(item for each in self.captures for item in each)
        return self.captures[-1] if self.captures else None

    @property
    def values(self) -> dict[str, Any]:
        """The fields it sets. A field that takes what was captured is left out where nothing was.

        Several such fields take the captures in their order.
        """
        constants = {name: value for name, value in self.rule.sets if value is not CAPTURED}
        captured = [name for name, value in self.rule.sets if value is CAPTURED] if self.captures else []
        several = zip(captured, self.captures, strict=True) if len(captured) > 1 else ()
        return constants | (dict(several) or dict.fromkeys(captured, self.value))


@dataclass(frozen=True)
class Grammar:
    rules: tuple[Rule, ...]
    vocabulary: frozenset[str]
    index: Mapping[str, tuple[Rule, ...]]
    openings: frozenset[Term]  # the terms that some rule begins with

    def beginning(self, source: Text, at: int) -> Iterator[Rule]:
        """The rules that can begin at this token, in the grammar's order."""
        word = source.tokens[at].norm
        here = {word, *(term for term in self.openings if source.finds(term, at))}
        for rule in self.index.get(word) or self.index[ANY]:
            if rule.firsts is None or not rule.firsts.isdisjoint(here):
                yield rule


def compiler(*files: str) -> Compiler:
    """A compiler that knows the parts of these files, and the terms that they define by phrases."""
    named = {name: pattern for file in files for name, pattern in parts(file).items()}
    terms = dict(TERMS)
    made = Compiler(terms, named)
    for section in (section for file in files for section in sections(file) if section.kind == "term"):
        name, constant = (*section.arguments, "")[:2]
        nodes = [made.compile(phrase) for phrase in section.phrases]
        terms[name] = either(terms.get(name), nodes, constant)
    return made


def either(before: Term | None, nodes: Sequence[Node], constant: str) -> Term:
    """A term that is one of some phrases (or what the name meant before): the constant with what was
    captured, or only that."""

    def term(text: Text, at: int) -> Iterator[tuple[int, Any]]:
        if before is not None:
            yield from before(text, at)
        for node in nodes:
            for end, captures in node.match(text, at):
                yield end, (constant, *captures) if constant else captures[-1]

    return term


def rules_of(file: str, made: Compiler) -> Iterator[Rule]:
    """The rules of one grammar file."""
    for section in sections(file):
        if section.kind in {"part", "words", "term"}:
            continue
        name, sets = _targets(section)
        for phrase in section.phrases:
            node = made.compile(phrase)
            yield Rule(section.kind, name, sets, node, node.firsts())


def _targets(section: Section) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """The name of a rule, and what its phrases set: `value strategy=evaluator evaluator`."""
    if section.kind not in {"value", "refuse"}:
        return " ".join(section.arguments) or section.kind, ()
    pairs = [each.partition("=") for each in section.arguments]
    sets = tuple((name, _constant(text) if equals else CAPTURED) for name, equals, text in pairs)
    return sets[0][0], sets


def _constant(text: str) -> Any:
    return int(text) if text.isdigit() else CONSTANTS.get(text, text)


@cache
def grammar(*files: str) -> Grammar:
    """The grammar of instructions; for replies with more files, whose phrases go first. Compiled once."""
    made = compiler(INSTRUCTION, *files)
    rules = tuple(rule for file in (*files, INSTRUCTION) for rule in rules_of(file, made))
    literal = {word for rule in rules for word in rule.node.words()}
    firsts = {first for rule in rules for first in rule.firsts or ()}
    known = {ANY, *(first for first in firsts if isinstance(first, str))}
    index = {word: tuple(rule for rule in rules if may_begin(rule.firsts, word)) for word in known}
    openings = frozenset(first for first in firsts if not isinstance(first, str))
    return Grammar(rules, frozenset(literal) | GLUE | HEDGES | UNITS, index, openings)


@dataclass(frozen=True)
class Parse:
    """The best reading: phrases matched, and the tokens that none covers."""

    source: Text
    matches: tuple[Match, ...]
    left: tuple[int, ...]


def parse(text: str, rules: Grammar, context: Context, current: Specification | None = None) -> Parse:
    """Cover the text with phrases so that the fewest words are left over; ties go to fewer phrases."""
    names = (
        name for model in (*context.catalogue, *context.served) for name in (model.id, model.display_name)
    )
    families = frozenset(first for name in names for first in atoms(name)[:1])
    source = Text(text, tokenize(text), context, rules.vocabulary, families, current or Specification())
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
    for rule in rules.beginning(source, at):
        ends: dict[int, Captures] = {}
        for end, captures in rule.node.match(source, at):
            if _as_told(captures):
                ends.setdefault(end, tuple(each for each in captures if not isinstance(each, Told)))
        for end, captures in ends.items():
            if end > at and _ends_well(source, end):
                yield Match(rule, at, end, captures)


def _as_told(captures: Captures) -> bool:
    """“2 ranks: 8, 16 and 32” contradicts itself, and the 16 of “ranks 8, 16 lrs 1e-4” counts nothing."""
    pairs = pairwise(captures)
    return all(told.holds(following) for told, following in pairs if isinstance(told, Told))


def _ends_well(source: Text, end: int) -> bool:
    """No hyphen goes on, and a number at the end is not the count of something that follows."""
    tokens = source.tokens
    if end == len(tokens):
        return True
    following, last = tokens[end], tokens[end - 1]
    if following.glued:
        return False
    if last.value is None or last.norm == "one" or following.breaks:
        return True
    if following.kind is Kind.PUNCT:
        return following.norm in CLOSING
    return following.kind is Kind.WORD and following.value is None and not _counted(source, end)


def _counted(source: Text, at: int) -> bool:
    """True when a number right before this word may be the count of it: `16 GPUs`, `and 3 learning rates`."""
    tokens = source.tokens
    norm, after = tokens[at].norm, tokens[at + 1].norm if at + 1 < len(tokens) else ""
    if norm not in source.vocabulary or norm in HEDGES:
        return True
    noun = at + 1 + (norm == "learning" and after == "rates")
    if norm in LISTED or noun == at + 2:
        listed = tokens[at - 2].norm in {",", "and", "&"}
        return listed and _may_count(tokens[at - 1], _items_after(source, noun))
    return norm in UNITS and after not in {"=", ":"}


def _may_count(token: Token, items: int) -> bool:
    """Whether a number may tell how many items follow, rightly or not; 16 before two items counts nothing."""
    value = token.value or 0
    return not items or value == items or (value % 1 == 0 and value <= MOST_COUNTED)


def _items_after(source: Text, at: int) -> int:
    """How many numbers are listed behind a noun: 2 behind the “ranks” of `ranks of 8 and 16`."""
    while at < len(source.tokens) and source.tokens[at].norm in LINKS:
        at += 1
    lists = [values for _, values in numbers(source, at)] if at < len(source.tokens) else []
    return len(lists[-1]) if lists else 0
