"""The terms of the notation: numbers, lists, base models, datasets, evaluators and quoted text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from sessions.instructions.patterns import Term, Text
from sessions.instructions.tables import words
from sessions.instructions.tokens import Kind, text_of
from sessions.specification.catalogue import ModelName, atoms, find, is_size

BETWEEN = {",", "and", "/", "&", "+"}
BETWEEN_MODELS = BETWEEN | {"vs", "versus"}
# Model families outside any one catalogue, so that an unknown model is recognised as a model.
FAMILIES = words("families")
# A word right after a model name that makes it another model, whatever the catalogue says of the first part.
QUALIFIERS = words("qualifiers")
VERSION = re.compile(r"[a-z]\d+(\.\d+)?")  # the k2 of Kimi K2, the v4 of DeepSeek V4
COMPOUNDS = words("compounds")
LONGEST_NAME, LONGEST_LIST = 8, 30


def _next_item(text: Text, at: int, between: set[str]) -> int | None:
    """Where the next item of a list begins after `,`, `and`, `, and` …; None when the list ends here."""
    start = at
    while at < len(text.tokens) and at - start < 2 and text.tokens[at].norm in between:
        at += 1
    return at if start < at < len(text.tokens) else None


def number(text: Text, at: int) -> Iterator[tuple[int, Decimal]]:
    """One number, in digits or as a word."""
    value = text.tokens[at].value
    if value is not None:
        yield at + 1, value


def numbers(text: Text, at: int) -> Iterator[tuple[int, tuple[Decimal, ...]]]:
    """`8, 16 and 32`, `8/16/32`, `[8, 16]`: every possible length, the longest last."""
    opened = text.tokens[at].norm in {"[", "(", "{"}
    position: int | None = at + opened
    values: list[Decimal] = []
    while position is not None and position < len(text.tokens):
        token = text.tokens[position]
        if token.value is None or (values and token.glued):
            return
        values.append(token.value)
        position += 1
        if not opened:
            yield position, tuple(values)
        elif position < len(text.tokens) and text.tokens[position].norm in {"]", ")", "}"}:
            yield position + 1, tuple(values)
            return
        position = _next_item(text, position, BETWEEN) if len(values) < LONGEST_LIST else None


def _bounded(text: Text, at: int, end: int) -> bool:
    """True when tokens `at` to `end` are a run of words and numbers that no hyphen continues."""
    run = text.tokens[at:end]
    plain = all(token.kind in {Kind.WORD, Kind.NUMBER} for token in run)
    together = not any(token.breaks for token in run[1:])
    return plain and together and not (end < len(text.tokens) and text.tokens[end].glued)


def _known(text: Text, at: int) -> tuple[int, tuple[ModelName, ...]] | None:
    """The longest run of tokens that names a model of the catalogue, or several that it could be."""
    token = text.tokens[at]
    if token.kind is not Kind.WORD or not set(atoms(token.norm)[:1]) & text.families:
        return None
    for end in range(min(len(text.tokens), at + LONGEST_NAME), at, -1):
        if _bounded(text, at, end):
            found = find(text_of(text.tokens, at, end, text.text), text.context.catalogue)
            if found:
                return end, found
    return None


def _glued_run(text: Text, at: int) -> int:
    """The token after a run joined by hyphens."""
    end = at + 1
    while end < len(text.tokens) and text.tokens[end].glued:
        end += 1
    return end


def _modelish(text: Text, at: int) -> int | None:
    """The end of a run that looks like a model's name though the catalogue has none such."""
    token = text.tokens[at]
    if token.kind is not Kind.WORD:
        return None
    end = _glued_run(text, at)
    parts = [atom for each in text.tokens[at:end] for atom in atoms(each.norm)]
    family = bool(parts) and (parts[0] in FAMILIES or parts[0] in text.families)
    if not family and not (end - at > 1 and any(map(is_size, parts[1:]))):
        return None
    return _continued(text, end) if family else end


def _continued(text: Text, end: int) -> int:
    """Take in what belongs to a written-out name: `Llama 3 70B instruct`."""
    tokens = text.tokens
    while end < len(tokens) and tokens[end].kind in {Kind.WORD, Kind.NUMBER} and not tokens[end].breaks:
        following = tokens[end + 1].norm if end + 1 < len(tokens) else ""
        size = is_size(tokens[end].norm) or VERSION.fullmatch(tokens[end].norm)
        version = tokens[end].kind is Kind.NUMBER and (is_size(following) or following not in text.vocabulary)
        if not (size or version or (tokens[end].norm in QUALIFIERS and following not in {"model", "models"})):
            break
        end = _glued_run(text, end)
    return end


def _qualified(text: Text, end: int) -> bool:
    if end >= len(text.tokens) or text.tokens[end].breaks:
        return False
    following = text.tokens[end + 1].norm if end + 1 < len(text.tokens) else ""
    return text.tokens[end].norm in QUALIFIERS and following not in {"model", "models"}


def model(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """A base model: its full name where the catalogue tells one, else the words as written."""
    token = text.tokens[at]
    if token.kind is Kind.NAME:
        if "/models/" in token.norm:
            yield at + 1, token.text
        return
    known = _known(text, at)
    if known and not _qualified(text, known[0]):
        end, found = known
        yield end, found[0].full if len(found) == 1 else text_of(text.tokens, at, end, text.text)
        return
    end_of_unknown = _modelish(text, at)
    if end_of_unknown is not None:
        yield end_of_unknown, text_of(text.tokens, at, end_of_unknown, text.text)


def _sibling(text: Text, at: int, before: str) -> Iterator[tuple[int, str]]:
    """A size alone stands for the family of the model before it: `qwen3 8B and 32B`."""
    if not is_size(text.tokens[at].norm) or not _bounded(text, at, at + 1):
        return
    stem = []
    for atom in atoms(before.rsplit("/", 1)[-1]):
        if is_size(atom):
            break
        stem.append(atom)
    written = " ".join([*stem, text.tokens[at].norm])
    found = find(written, text.context.catalogue)
    yield at + 1, found[0].full if len(found) == 1 else written


def models(text: Text, at: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """One or more base models in a list: every possible length."""
    first = next(model(text, at), None)
    names: list[str] = []
    position: int | None = at
    while position is not None and first is not None:
        end, name = first
        names.append(name)
        yield end, tuple(names)
        position = _next_item(text, end, BETWEEN_MODELS) if len(names) < LONGEST_LIST else None
        if position is None:
            return
        first = next(model(text, position), None) or next(_sibling(text, position, names[-1]), None)


def dataset(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """A dataset by its full name, or an upload."""
    token = text.tokens[at]
    if token.kind is Kind.UPLOAD or (token.kind is Kind.NAME and "/datasets/" in token.norm):
        yield at + 1, token.text


def evaluator(text: Text, at: int) -> Iterator[tuple[int, str]]:
    token = text.tokens[at]
    if token.kind is Kind.NAME and "/evaluators/" in token.norm:
        yield at + 1, token.text


def money(text: Text, at: int) -> Iterator[tuple[int, str]]:
    if text.tokens[at].kind is Kind.MONEY:
        yield at + 1, text.tokens[at].text


def identifier(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """A bare id, such as `customer-support-v2`: joined by hyphens, or a word the grammar does not use."""
    token, end = text.tokens[at], _glued_run(text, at)
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


def quoted(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """Text between quotation marks, as written."""
    if text.tokens[at].norm != '"':
        return
    for end in range(at + 1, len(text.tokens)):
        if text.tokens[end].norm == '"':
            yield end + 1, text.text[text.tokens[at].end : text.tokens[end].start]
            return


TERMS: dict[str, Term] = {
    "number": number,
    "numbers": numbers,
    "models": models,
    "dataset": dataset,
    "evaluator": evaluator,
    "money": money,
    "id": identifier,
    "quoted": quoted,
}
