"""A small notation for phrases, and how a phrase is matched against tokens.

    word          that word (case does not matter); `word~` also its plural with s
    [ … ]         may be left out
    ( … | … )     one of
    {name}        a part that was named in the table of parts
    <name>        a term: a number, a list, a model, a dataset; what it means is captured
    <-name>       a term that is read and forgotten
    <#name>       a number that tells how many items the list after it has, or a share that makes a whole with
                  the one after it; where that is not so, the phrase does not match
    $             nothing, where a clause ends

Hyphens are no words: `fine tuning` matches `fine-tuning` as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

from sessions.instructions.tokens import Kind, Token
from sessions.specification import Context, Specification

_SYMBOL = re.compile(r"<[-#]?[\w-]+>|\{[\w-]+\}|[\[\]()|]|[^\s\[\](){}<>|]+")
_CLAUSE_WORDS = frozenset({"and", "but", "then", "just", "only", "please", "thanks"})


@dataclass(frozen=True)
class Text:
    """What a phrase is matched against: the text, its tokens, and what names can mean.

    `vocabulary` are the words of the grammar, `families` what the names of the catalogue begin with,
    `current` what a reply talks about: the specification of its session.
    """

    text: str
    tokens: Sequence[Token]
    context: Context = field(default_factory=Context)
    vocabulary: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    current: Specification = field(default_factory=Specification)
    # What terms and named parts found at a token: most occur in many phrases, and are looked for once.
    found: dict[tuple[object, int], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def finds(self, term: Term, at: int) -> Sequence[tuple[int, Any]]:
        """What a term is at a token: each end it can reach, with its meaning."""
        if (term, at) not in self.found:
            self.found[term, at] = tuple(term(self, at)) if at < len(self.tokens) else ()
        found: Sequence[tuple[int, Any]] = self.found[term, at]
        return found


@dataclass(frozen=True)
class Told:
    """What a person told beforehand of what follows: how many items, or the share that goes before."""

    value: Decimal

    def holds(self, following: Any) -> bool:
        """Whether what follows is as it was told."""
        if isinstance(following, tuple):
            return self.value == len(following)
        return isinstance(following, Decimal) and self.value + following == 1


Captures = tuple[Any, ...]
Found = Sequence[tuple[int, Captures]]
NOTHING: Found = ()
Term = Callable[[Text, int], Iterator[tuple[int, Any]]]
Firsts = frozenset[str | Term]


class Node(Protocol):
    """A part of a phrase: each end it can reach from a token, with what it captured."""

    def match(self, text: Text, at: int) -> Found: ...
    def words(self) -> Iterator[str]: ...
    def firsts(self) -> Firsts | None:
        """Words and terms it can begin with; None when it can be empty."""


def may_begin(firsts: Firsts | None, word: str) -> bool:
    """Whether what begins so can begin at this word; of a term, only the whole text tells."""
    return firsts is None or word in firsts or not all(isinstance(first, str) for first in firsts)


@dataclass(frozen=True, eq=False)
class Word:
    forms: frozenset[str]

    def match(self, text: Text, at: int) -> Found:
        if at < len(text.tokens) and text.tokens[at].norm in self.forms:
            return ((at + 1, ()),)
        return NOTHING

    def words(self) -> Iterator[str]:
        yield from self.forms

    def firsts(self) -> Firsts | None:
        return self.forms


@dataclass(frozen=True, eq=False)
class Captured:
    term: Term
    forget: bool = False
    told: bool = False

    def match(self, text: Text, at: int) -> Found:
        found = text.finds(self.term, at)
        if self.forget:
            return [(end, ()) for end, _ in found]
        return [(end, (Told(value) if self.told else value,)) for end, value in found]

    def words(self) -> Iterator[str]:
        return iter(())

    def firsts(self) -> Firsts | None:
        return frozenset({self.term})


class ClauseEnd:
    """Matches no token, where a clause is over."""

    def match(self, text: Text, at: int) -> Found:
        if at < len(text.tokens):
            token = text.tokens[at]
            if token.kind is not Kind.PUNCT and not token.breaks and token.norm not in _CLAUSE_WORDS:
                return NOTHING
        return ((at, ()),)

    def words(self) -> Iterator[str]:
        return iter(())

    def firsts(self) -> Firsts | None:
        return None


@dataclass(frozen=True, eq=False)
class Series:
    parts: tuple[Node, ...]

    def match(self, text: Text, at: int) -> Found:
        found: Found = ((at, ()),)
        for part in self.parts:
            found = [
                (end, captured + more) for middle, captured in found for end, more in part.match(text, middle)
            ]
            if not found:
                break
        return found

    def words(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.words()

    def firsts(self) -> Firsts | None:
        found: Firsts = frozenset()
        for part in self.parts:
            optional = isinstance(part, Choice) and part.optional
            of_part = part.inner_firsts() if isinstance(part, Choice) else part.firsts()
            if of_part is None:
                return None
            found |= of_part
            if not optional:
                return found
        return None


@dataclass(frozen=True, eq=False)
class Choice:
    options: tuple[Node, ...]
    optional: bool = False

    @cached_property
    def _beginning(self) -> dict[str, list[Node]]:
        """The options that a word can begin, in their order; `""` stands for all other words."""
        each = [(option, option.firsts()) for option in self.options]
        words = {"", *(first for _, firsts in each for first in firsts or () if isinstance(first, str))}
        return {word: [node for node, firsts in each if may_begin(firsts, word)] for word in words}

    def match(self, text: Text, at: int) -> Found:
        begin = self._beginning
        options = begin.get(text.tokens[at].norm if at < len(text.tokens) else "", begin[""])
        if len(options) == 1 and not self.optional:
            return options[0].match(text, at)
        found = [each for option in options for each in option.match(text, at)]
        if self.optional:
            found.append((at, ()))
        return found

    def words(self) -> Iterator[str]:
        for option in self.options:
            yield from option.words()

    def inner_firsts(self) -> Firsts | None:
        each = [option.firsts() for option in self.options]
        return None if None in each else frozenset[str | Term]().union(*(one for one in each if one))

    def firsts(self) -> Firsts | None:
        return None if self.optional else self.inner_firsts()


@dataclass(frozen=True, eq=False)
class Part(Choice):
    """A named part of phrases: what it finds at a token is found once, however many phrases ask."""

    def match(self, text: Text, at: int) -> Found:
        key = (self, at)
        found: Found | None = text.found.get(key)
        if found is None:
            found = text.found[key] = super().match(text, at)
        return found


@dataclass
class Compiler:
    """Turns the notation into nodes. `terms` and `parts` give the meaning of <name> and {name}."""

    terms: Mapping[str, Term]
    parts: Mapping[str, str]
    named: dict[str, Part] = field(default_factory=dict)

    def compile(self, pattern: str) -> Choice:
        symbols = _SYMBOL.findall(pattern)
        node, rest = self._choice(symbols, 0)
        if rest != len(symbols):
            raise ValueError(f"unbalanced brackets in phrase: {pattern}")
        return node

    def _choice(self, symbols: Sequence[str], at: int) -> tuple[Choice, int]:
        options = []
        while True:
            series, at = self._series(symbols, at)
            options.append(series)
            if at >= len(symbols) or symbols[at] != "|":
                return Choice(tuple(options)), at
            at += 1

    def _series(self, symbols: Sequence[str], at: int) -> tuple[Node, int]:
        parts: list[Node] = []
        while at < len(symbols) and symbols[at] not in {"|", "]", ")"}:
            if symbols[at] in {"[", "("}:
                inner, end = self._choice(symbols, at + 1)
                if end >= len(symbols) or symbols[end] != {"[": "]", "(": ")"}[symbols[at]]:
                    raise ValueError(f"unbalanced brackets in phrase: {' '.join(symbols)}")
                parts.append(Choice(inner.options, optional=symbols[at] == "["))
                at = end + 1
            else:
                parts.append(self._leaf(symbols[at]))
                at += 1
        return Series(tuple(parts)), at

    def _leaf(self, symbol: str) -> Node:
        if symbol == "$":
            return ClauseEnd()
        if symbol.startswith("<"):
            name = symbol.strip("<>")
            return Captured(self.terms[name.lstrip("-#")], name.startswith("-"), name.startswith("#"))
        if symbol.startswith("{"):
            return self._part(symbol[1:-1])
        word = symbol.removesuffix("~").lower()
        return Word(frozenset({word, f"{word}s"} if symbol.endswith("~") else {word}))

    def _part(self, name: str) -> Part:
        if name not in self.named:
            self.named[name] = Part(self.compile(self.parts[name]).options)
        return self.named[name]
