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
Found = Iterator[tuple[int, Captures]]
Term = Callable[[Text, int], Iterator[tuple[int, Any]]]


class Node(Protocol):
    """A part of a phrase: yields each end it can reach from a token, with what it captured."""

    def match(self, text: Text, at: int) -> Found: ...
    def words(self) -> Iterator[str]: ...
    def firsts(self) -> frozenset[str] | None:
        """Words it can begin with; None when it can begin with a term, or be empty."""


@dataclass(frozen=True)
class Word:
    forms: frozenset[str]

    def match(self, text: Text, at: int) -> Found:
        if at < len(text.tokens) and text.tokens[at].norm in self.forms:
            yield at + 1, ()

    def words(self) -> Iterator[str]:
        yield from self.forms

    def firsts(self) -> frozenset[str] | None:
        return self.forms


@dataclass(frozen=True)
class Captured:
    term: Term
    forget: bool = False
    told: bool = False

    def match(self, text: Text, at: int) -> Found:
        if at < len(text.tokens):
            for end, value in self.term(text, at):
                yield end, () if self.forget else (Told(value) if self.told else value,)

    def words(self) -> Iterator[str]:
        return iter(())

    def firsts(self) -> frozenset[str] | None:
        return None


class ClauseEnd:
    """Matches no token, where a clause is over."""

    def match(self, text: Text, at: int) -> Found:
        if at < len(text.tokens):
            token = text.tokens[at]
            if token.kind is not Kind.PUNCT and not token.breaks and token.norm not in _CLAUSE_WORDS:
                return
        yield at, ()

    def words(self) -> Iterator[str]:
        return iter(())

    def firsts(self) -> frozenset[str] | None:
        return None


@dataclass(frozen=True)
class Series:
    parts: tuple[Node, ...]

    def match(self, text: Text, at: int) -> Found:
        yield from self._from(0, text, at)

    def _from(self, index: int, text: Text, at: int) -> Found:
        if index == len(self.parts):
            yield at, ()
            return
        for middle, captured in self.parts[index].match(text, at):
            for end, more in self._from(index + 1, text, middle):
                yield end, captured + more

    def words(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.words()

    def firsts(self) -> frozenset[str] | None:
        found: frozenset[str] = frozenset()
        for part in self.parts:
            optional = isinstance(part, Choice) and part.optional
            of_part = part.inner_firsts() if isinstance(part, Choice) else part.firsts()
            if of_part is None:
                return None
            found |= of_part
            if not optional:
                return found
        return None


@dataclass(frozen=True)
class Choice:
    options: tuple[Node, ...]
    optional: bool = False

    @cached_property
    def _beginnings(self) -> tuple[tuple[Node, frozenset[str] | None], ...]:
        """Each option with the words it can begin with: most are ruled out by the first word alone."""
        return tuple((option, option.firsts()) for option in self.options)

    def match(self, text: Text, at: int) -> Found:
        word = text.tokens[at].norm if at < len(text.tokens) else ""
        for option, firsts in self._beginnings:
            if firsts is None or word in firsts:
                yield from option.match(text, at)
        if self.optional:
            yield at, ()

    def words(self) -> Iterator[str]:
        for option in self.options:
            yield from option.words()

    def inner_firsts(self) -> frozenset[str] | None:
        each = [option.firsts() for option in self.options]
        return None if None in each else frozenset().union(*(one for one in each if one))

    def firsts(self) -> frozenset[str] | None:
        return None if self.optional else self.inner_firsts()


@dataclass
class Compiler:
    """Turns the notation into nodes. `terms` and `parts` give the meaning of <name> and {name}."""

    terms: Mapping[str, Term]
    parts: Mapping[str, str]

    def compile(self, pattern: str) -> Node:
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
            return self.compile(self.parts[symbol[1:-1]])
        word = symbol.removesuffix("~").lower()
        return Word(frozenset({word, f"{word}s"} if symbol.endswith("~") else {word}))
