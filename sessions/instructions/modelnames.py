"""Base models in a text: known ones, lists of them, and what looks like one though nobody knows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from sessions.instructions.numerals import next_item
from sessions.instructions.patterns import Text
from sessions.instructions.tables import words
from sessions.instructions.tokens import Kind, glued_run, text_of
from sessions.specification.catalogue import ModelName, atoms, find, is_size

BETWEEN_MODELS = {",", "and", "/", "&", "+", "vs", "versus"}
# Model families outside any one catalogue, so that an unknown model is recognised as a model.
FAMILIES = words("families")
# A word right after a model name that makes it another model, whatever the catalogue says of the first part.
QUALIFIERS = words("qualifiers")
PUBLISHERS = words("publishers")
VERSION = re.compile(r"[a-z]\d+(\.\d+)?")  # the k2 of Kimi K2, the v4 of DeepSeek V4
LONGEST_NAME, LONGEST_LIST = 8, 30
SMALLER = {"small", "smaller", "smallest", "cheaper", "cheapest"}
LARGER = {"big", "bigger", "biggest", "large", "larger", "largest"}


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


def _modelish(text: Text, at: int) -> int | None:
    """The end of a run that looks like a model's name though the catalogue has none such."""
    token = text.tokens[at]
    if token.kind is not Kind.WORD:
        return None
    end = glued_run(text.tokens, at)
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
        end = glued_run(text.tokens, end)
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
    published = _after_publisher(text, at)
    if published is not None:
        yield from model(text, published)
        return
    known = _known(text, at)
    if known and not _qualified(text, known[0]):
        end, found = known
        yield end, found[0].full if len(found) == 1 else text_of(text.tokens, at, end, text.text)
        return
    end_of_unknown = _modelish(text, at)
    if end_of_unknown is not None:
        yield end_of_unknown, text_of(text.tokens, at, end_of_unknown, text.text)


def _after_publisher(text: Text, at: int) -> int | None:
    """Where the name begins in `Qwen/Qwen3-8B`, or `meta llama 3.1 8b`."""
    end = glued_run(text.tokens, at)
    if end >= len(text.tokens) or text_of(text.tokens, at, end, text.text).lower() not in PUBLISHERS:
        return None
    follows = end + (text.tokens[end].norm == "/")
    if follows >= len(text.tokens) or not _known(text, follows):
        return None
    return follows if follows > end or text.tokens[at].norm not in text.families else None


def served(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """A model that answers by the token; a name that looks like a model is taken as written."""
    yield from model(replace(text, context=replace(text.context, catalogue=text.context.served)), at)


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
        position = next_item(text, end, BETWEEN_MODELS) if len(names) < LONGEST_LIST else None
        if position is None:
            return
        first = next(model(text, position), None) or next(_sibling(text, position, names[-1]), None)


def which(text: Text, at: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Base models by what tells them apart among those of the current specification: `70B`, `llama`,
    `smaller`, or by their names; one or more in a list: every possible length."""
    names: list[str] = []
    position: int | None = at
    while position is not None and len(names) < LONGEST_LIST:
        found = _one_of_current(text, position)
        if found is None:
            return
        end, meant = found
        names.extend(meant)
        yield end, tuple(names)
        position = next_item(text, end, BETWEEN_MODELS)


def _one_of_current(text: Text, at: int) -> tuple[int, tuple[str, ...]] | None:
    """A model of the plan, or several where the plural is said; else a known model that is not in it."""
    current = text.current.value("base_models", ())
    if text.tokens[at].norm in SMALLER | LARGER:
        sized = sorted(current, key=_size)
        if len({_size(each) for each in current}) < max(len(current), 2):
            return None
        return at + 1, (sized[0] if text.tokens[at].norm in SMALLER else sized[-1],)
    for end in range(min(len(text.tokens), at + LONGEST_NAME), at, -1):
        if _bounded(text, at, end):
            written = atoms(text_of(text.tokens, at, end, text.text))
            telling = any(not atom.replace(".", "").isdigit() for atom in written)
            meant = tuple(each for each in current if telling and _among(written, each))
            several = end < len(text.tokens) and text.tokens[end].norm in {"models", "ones"}
            if len(meant) == 1 or (meant and several):
                return end, meant
    known = next(model(text, at), None)
    return (known[0], (known[1],)) if known and known[1].startswith("accounts/") else None


def _among(written: tuple[str, ...], name: str) -> bool:
    """True when the parts written are parts of the model's name, in their order."""
    parts = iter(atoms(name.rsplit("/", 1)[-1]))
    return all(atom in parts for atom in written)


def _size(name: str) -> float:
    """The size in a model's name, in billions of parameters; 0 when it says none."""
    sizes = [atom for atom in atoms(name.rsplit("/", 1)[-1]) if is_size(atom)]
    return float(sizes[0][:-1]) * (1000 if sizes[0].endswith("t") else 1) if sizes else 0.0
