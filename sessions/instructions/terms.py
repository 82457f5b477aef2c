"""The terms of the notation by name, and the names of things in an account."""

from __future__ import annotations

from collections.abc import Iterator

from sessions.instructions.freetext import few, labels, quoted, rest
from sessions.instructions.modelnames import model, models, served, which
from sessions.instructions.numerals import kept, money, number, numbers, share, split
from sessions.instructions.patterns import Term, Text
from sessions.instructions.relabelling import merge, relabel, unlabel
from sessions.instructions.tables import words
from sessions.instructions.tokens import Kind, glued_run, text_of

COMPOUNDS = words("compounds")


def dataset(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """A dataset by its full name, an upload, or the id of a dataset that the account has."""
    token = text.tokens[at]
    if token.kind is Kind.UPLOAD or (token.kind is Kind.NAME and "/datasets/" in token.norm):
        yield at + 1, token.text
        return
    end = glued_run(text.tokens, at)
    written = text_of(text.tokens, at, end, text.text).lower()
    known = (name for name in text.context.datasets if name.rsplit("/", 1)[-1] == written)
    if token.kind is Kind.WORD and (end > at + 1 or written not in text.vocabulary):
        yield from ((end, name) for name in known)


def evaluator(text: Text, at: int) -> Iterator[tuple[int, str]]:
    token = text.tokens[at]
    if token.kind is Kind.NAME and "/evaluators/" in token.norm:
        yield at + 1, token.text


def uploaded(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """An uploaded file, where the words say what it is; elsewhere it is a dataset."""
    if text.tokens[at].kind is Kind.UPLOAD:
        yield at + 1, text.tokens[at].text


def identifier(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """A bare id, such as `customer-support-v2`: joined by hyphens, or a word the grammar does not use."""
    token, end = text.tokens[at], glued_run(text.tokens, at)
    if token.kind is not Kind.WORD or token.glued:
        return
    joined = all(each.kind in {Kind.WORD, Kind.NUMBER} for each in text.tokens[at:end])
    one = end == at + 1
    known = (
        token.norm in text.vocabulary
        if one
        else text_of(text.tokens, at, end, text.text).lower() in COMPOUNDS
    )
    if joined and not known and not next(model(text, at), None):
        yield end, text_of(text.tokens, at, end, text.text)


TERMS: dict[str, Term] = {
    "number": number,
    "numbers": numbers,
    "share": share,
    "kept": kept,
    "split": split,
    "money": money,
    "models": models,
    "served": served,
    "which": which,
    "dataset": dataset,
    "evaluator": evaluator,
    "uploaded": uploaded,
    "id": identifier,
    "labels": labels,
    "quoted": quoted,
    "rest": rest,
    "few": few,
    "merge": merge,
    "relabel": relabel,
    "unlabel": unlabel,
}
