"""Text in the person's own words: labels, what is quoted, and the rest of a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from sessions.instructions.modelnames import model
from sessions.instructions.patterns import Text
from sessions.instructions.tables import words
from sessions.instructions.tokens import Kind, glued_run, text_of
from sessions.specification.quoting import DOUBLED

BETWEEN_LABELS = {",", "and", "/", "|", "or", "&"}
SENTENCE_ENDS = {".", "!", "?", ";"}
LONGEST_LABEL, MOST_LABELS, MOST_WORDS = 5, 200, 4
IMPERATIVES = words("imperatives")
AFTER_LABELS = {"using", "with", "on", "for", "from", "in"}
GLUE = words("glue")


def quoted(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """Text between quotation marks, as written."""
    if text.tokens[at].norm != '"':
        return
    end = at + 1
    while end < len(text.tokens):
        if text.tokens[end].norm == '"':
            if not _twice(text, end):
                yield end + 1, DOUBLED.sub(r"\1", text.text[text.tokens[at].end : text.tokens[end].start])
                return
            end += 1
        end += 1


def _twice(text: Text, at: int) -> bool:
    """Whether a quotation mark stands twice, as it does inside a quoted label."""
    return DOUBLED.match(text.text, text.tokens[at].start) is not None


def rest(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """The words up to the end of the sentence or line, or up to “and use …”. Names of things in an account
    are no such words: then it is not known where they end."""
    end = at
    while end < len(text.tokens) and text.tokens[end].norm not in SENTENCE_ENDS:
        if end > at and (text.tokens[end].breaks or _begins_anew(text, end)):
            break
        if text.tokens[end].kind in {Kind.NAME, Kind.UPLOAD, Kind.MONEY}:
            return
        end += 1
    if end > at:
        yield end, text_of(text.tokens, at, end, text.text)


def _begins_anew(text: Text, at: int) -> bool:
    """True before `and use`, `, then run`."""
    joined = at
    while joined < len(text.tokens) and text.tokens[joined].norm in {",", "and", "then"}:
        joined += 1
    return at < joined < len(text.tokens) and text.tokens[joined].norm in IMPERATIVES


def few(text: Text, at: int) -> Iterator[tuple[int, str]]:
    """One to four plain words: what is spoken of, and does not matter."""
    for end in range(at + 1, min(len(text.tokens), at + MOST_WORDS) + 1):
        token = text.tokens[end - 1]
        if token.kind is not Kind.WORD or (token.breaks and end > at + 1) or token.value is not None:
            return
        yield end, text_of(text.tokens, at, end, text.text)


def labels(text: Text, at: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Two or more labels: `billing, technical and sales`, `"card lost", "card stolen"`, `0 and 1`."""
    opened = text.tokens[at].norm in {"[", "(", "{"}
    position: int | None = at + opened
    found: list[str] = []
    closing = False  # after “and” comes the last one, so a comma after it ends the list
    while position is not None and len(found) < MOST_LABELS:
        item = _label(text, position)
        if item is None:
            return
        position, name = item
        found.append(name)
        if opened and position < len(text.tokens) and text.tokens[position].norm in {"]", ")", "}"}:
            yield position + 1, tuple(found)
            return
        if not opened and len(found) > 1:
            yield position, tuple(found)
        ended = closing and text.tokens[position : position + 1] and text.tokens[position].norm == ","
        following = None if ended else _next_label(text, position)
        closing = following is not None and text.tokens[following - 1].norm in {"and", "or"}
        position = following


def _next_label(text: Text, at: int) -> int | None:
    """After `,`, `and`, `, and`, `or` or a new line that is a list item; None at the end."""
    start = at
    while at < len(text.tokens) and at - start < 2 and text.tokens[at].norm in BETWEEN_LABELS:
        at += 1
    if at == start and at < len(text.tokens) and text.tokens[at].breaks:
        at += text.tokens[at].norm in {"-", "*", "•"}
        return at if at > start and at < len(text.tokens) else None
    return at if start < at < len(text.tokens) else None


def _label(text: Text, at: int) -> tuple[int, str] | None:
    """One label. Several words, or a word that the grammar uses, must stand between two separators."""
    if at >= len(text.tokens):
        return None
    if found := next(quoted(text, at), None):
        return found
    end = at
    while end < len(text.tokens) and end - at < 4 * LONGEST_LABEL and not _ends(text, at, end):
        end += 1
    name = text_of(text.tokens, at, end, text.text) if end > at else ""
    run = text.tokens[at:end]
    plain = all(token.kind in {Kind.WORD, Kind.NUMBER} for token in run)
    if not name or not plain or next(model(text, at), None):
        return None
    ended = end == len(text.tokens) or _separates(text, end)
    one = glued_run(text.tokens, at) == end
    free = not any(token.norm in text.vocabulary or token.value is not None for token in run)
    if ended and (one or (free and len(name.split()) <= LONGEST_LABEL)):
        return end, name
    first = glued_run(text.tokens, at)
    if run[0].value is None and _one_word(text, at, first):
        return first, text_of(text.tokens, at, first, text.text)
    return None


def _one_word(text: Text, at: int, end: int) -> bool:
    """Whether the word is a label though the sentence goes on: `… and other using qwen3-8b`."""
    following = text.tokens[end].norm if end < len(text.tokens) else ""
    known = {token.norm for token in text.tokens[at:end]} & text.vocabulary
    return following in (AFTER_LABELS if known - GLUE else text.vocabulary) and not known & GLUE


def _ends(text: Text, at: int, end: int) -> bool:
    return _separates(text, end) and end >= at


def _separates(text: Text, end: int) -> bool:
    token = text.tokens[end]
    stops = SENTENCE_ENDS | BETWEEN_LABELS | {"]", ")", "}", ":"}
    return token.norm in stops or token.breaks
