"""Numbers in a text: single, in lists, shares, splits and amounts of money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from sessions.instructions.patterns import Text
from sessions.instructions.tokens import DOTTED_THOUSAND, SUFFIXES, TENS, Kind, Token

BETWEEN, OPENING, CLOSING = {",", "and", "/", "&", "+"}, {"[", "(", "{"}, {"]", ")", "}"}
DOLLARS = {"dollar", "dollars", "usd", "bucks"}
MULTIPLES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
LONGEST_LIST = 30
WHOLE = Decimal(100)
_AMOUNT = re.compile(r"(\d+(?:,\d{3})*(?:\.\d+)?)([km]?)")


def next_item(text: Text, at: int, between: set[str]) -> int | None:
    """Where the next item of a list begins after `,`, `and`, `, and` …; None when the list ends here."""
    start = at
    while at < len(text.tokens) and at - start < 2 and text.tokens[at].norm in between:
        at += 1
    return at if start < at < len(text.tokens) else None


def number(text: Text, at: int) -> Iterator[tuple[int, Decimal]]:
    """One number, in digits or in words: `3`, `2k`, `two hundred`, `twenty-five`, `1.5 million`."""
    value = text.tokens[at].value
    if value is None:
        return
    yield spoken(text, at) if text.tokens[at].kind is Kind.WORD else digits(text, at, value)


def digits(text: Text, at: int, value: Decimal) -> tuple[int, Decimal]:
    """Digits, with a word that multiplies them: `2 thousand`."""
    following = text.tokens[at + 1].norm if at + 1 < len(text.tokens) else ""
    return (at + 2, value * MULTIPLES[following]) if following in MULTIPLES else (at + 1, value)


def spoken(text: Text, at: int) -> tuple[int, Decimal]:
    """A number in words, as far as it goes: each word is smaller than the one before, or multiplies."""
    total, part, end = Decimal(0), Decimal(0), at
    while end < len(text.tokens) and text.tokens[end].kind is Kind.WORD:
        word, value = text.tokens[end].norm, text.tokens[end].value
        if word == "hundred" and part < 10:
            part = (part or Decimal(1)) * 100
        elif word in MULTIPLES and word != "hundred":
            total, part = total + (part or 1) * MULTIPLES[word], Decimal(0)
        elif value is not None and (end == at or _adds(part, value, text.tokens[end - 1].norm)):
            part += value
        else:
            break
        end += 1
    return end, total + part


def _adds(part: Decimal, value: Decimal, before: str) -> bool:
    """Whether a word goes on with what was said: `twenty five`, `two hundred ten`, not `two three`."""
    return before in MULTIPLES or (before in TENS and 0 < value < 10 and part % 10 == 0)


def numbers(text: Text, at: int) -> Iterator[tuple[int, tuple[Decimal, ...]]]:
    """`8, 16 and 32`, `8/16/32`, `[8, 16]`: every possible length, the longest last."""
    opened = text.tokens[at].norm in OPENING
    position: int | None = at + opened
    values: list[Decimal] = []
    kind = Kind.NUMBER
    while position is not None and position < len(text.tokens):
        found = next(number(text, position), None)
        if found is None or (values and text.tokens[position].glued):
            return
        if values and text.tokens[position].kind is not kind:
            return  # “rank 32 and three learning rates”: the word counts what follows
        kind = text.tokens[position].kind
        position, value = found
        values.append(value)
        if not opened:
            yield position, tuple(values)
        elif position < len(text.tokens) and text.tokens[position].norm in CLOSING:
            yield position + 1, tuple(values)
            return
        position = next_item(text, position, BETWEEN) if len(values) < LONGEST_LIST else None


def share(text: Text, at: int) -> Iterator[tuple[int, Decimal]]:
    """A part of a whole, between 0 and 1: `30%`, `30 percent`, `0.3`."""
    token = text.tokens[at]
    if token.kind is Kind.PERCENT:
        yield at + 1, Decimal(token.norm.rstrip("% ")) / WHOLE
        return
    for end, value in number(text, at):
        if end < len(text.tokens) and text.tokens[end].norm in {"percent", "per"}:
            yield end + 1 + (text.tokens[end].norm == "per"), value / WHOLE
        elif 0 < value < 1:
            yield end, value


def kept(text: Text, at: int) -> Iterator[tuple[int, Decimal]]:
    """What a share for training leaves over. Less than half may be a part to try things on, so it is none."""
    for end, value in share(text, at):
        if value >= Decimal("0.5"):
            yield end, 1 - value


def split(text: Text, at: int) -> Iterator[tuple[int, Decimal]]:
    """The second part of two that make a whole: `70/30`, `80-20`, `0.9 : 0.1`, `80% / 20%`."""
    tokens = text.tokens
    middle = at + 1 < len(tokens) and tokens[at + 1].norm in {"/", ":", "-", "to"}
    last = at + 1 + middle
    if last >= len(tokens) or not (middle or tokens[last].glued):
        return
    parts = [_plain(tokens[each]) for each in (at, last)]
    if None not in parts and sum(each or 0 for each in parts) in {Decimal(1), WHOLE}:
        yield last + 1, (parts[1] or Decimal(0)) / sum(each or 0 for each in parts)


def _plain(token: Token) -> Decimal | None:
    return Decimal(token.norm.rstrip("% ")) if token.kind is Kind.PERCENT else token.value


def money(text: Text, at: int) -> Iterator[tuple[int, Decimal]]:
    """An amount in USD: `$5`, `$1,200.50`, `$2k`, `20 dollars`, `USD 5`, `five dollars`."""
    token = text.tokens[at]
    if token.kind is Kind.MONEY and "euro" not in token.norm and not DOTTED_THOUSAND.search(token.norm):
        digits = _AMOUNT.search(token.norm)
        if digits:
            factor = SUFFIXES.get(digits[2], 1)
            yield at + 1, Decimal(digits[1].replace(",", "")) * factor
    for end, value in number(text, at):
        if end < len(text.tokens) and text.tokens[end].norm in DOLLARS:
            yield end + 1, value
