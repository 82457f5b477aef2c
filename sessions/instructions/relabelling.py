"""Changes of labels in words: `a to b`, `a and b into c`, `a, b and c`; each as the field has them."""

from __future__ import annotations

from collections.abc import Iterator

from sessions.instructions.freetext import labels, quoted
from sessions.instructions.patterns import Text
from sessions.instructions.tokens import Kind, glued_run, text_of
from sessions.specification.quoting import change

Changes = tuple[str, ...]
BETWEEN = frozenset({",", "and"})
TARGETS = frozenset({"to", "into", "as", "in"})


def one(text: Text, at: int) -> tuple[int, str] | None:
    """One label: in quotation marks, or a word that may be joined by signs (`card_arrival`)."""
    if at >= len(text.tokens):
        return None
    if found := next(quoted(text, at), None):
        return found
    if text.tokens[at].kind not in {Kind.WORD, Kind.NUMBER}:
        return None
    end = glued_run(text.tokens, at)
    return end, text_of(text.tokens, at, end, text.text)


def several(text: Text, at: int) -> Iterator[tuple[int, Changes]]:
    """One label or a list of them."""
    yield from labels(text, at)
    if found := one(text, at):
        yield found[0], (found[1],)


def relabel(text: Text, at: int) -> Iterator[tuple[int, Changes]]:
    """`a to b`."""
    if old := one(text, at):
        yield from _renamed(text, old[0], (old[1],))


def merge(text: Text, at: int) -> Iterator[tuple[int, Changes]]:
    """`a and b into c`."""
    end, found = at, []
    while name := one(text, end):
        found.append(name[1])
        end = name[0]
        if end < len(text.tokens) and text.tokens[end].norm in TARGETS:
            yield from _renamed(text, end, tuple(found))
            return
        apart = end
        while end < len(text.tokens) and text.tokens[end].norm in BETWEEN:
            end += 1
        if end == apart:
            return


def unlabel(text: Text, at: int) -> Iterator[tuple[int, Changes]]:
    """`a`, or `a, b and c`: what is to be dropped."""
    for end, found in several(text, at):
        yield end, tuple(change(each) for each in found)


def _renamed(text: Text, at: int, old: Changes) -> Iterator[tuple[int, Changes]]:
    if at >= len(text.tokens) or text.tokens[at].norm not in TARGETS:
        return
    after = at + 1 + (text.tokens[at + 1 : at + 2] != [] and text.tokens[at + 1].norm == "label")
    if new := one(text, after):
        yield new[0], tuple(change(each, new[1]) for each in old if each != new[1])
