"""An instruction cut into tokens. Every character that is not a blank belongs to a token, or joins two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

# Typographic signs that mean the plain one; one character each, so that positions stay those of the text.
PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "−": "-", "‑": "-", "‐": "-", "“": '"', "”": '"', "„": '"', "\xa0": " "}
)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBER_WORDS = {
    **{word: Decimal(number) for number, word in enumerate(_UNITS.split())},
    **{word: Decimal(10 * number) for number, word in enumerate(TENS, 2)},
    "hundred": Decimal(100),
    "thousand": Decimal(1000),
}
# “1.000”: a thousand to some, one to others. Nobody means either for sure.
DOTTED_THOUSAND = re.compile(r"(?<![\d.,])[1-9]\d{0,2}\.\d{3}(?![\d.e])")
SUFFIXES = {"k": 1_000, "m": 1_000_000}

_TOKEN = re.compile(
    r"""
    (?P<name> accounts/[\w-]+/[A-Za-z]+/[\w.-]*[\w-] )
  | (?P<upload> upload:[\w-]+ )
  | (?P<money> (?:us)?\$\s?\d+(?:,\d{3})*(?:\.\d+)?(?:[km]\b)? | usd\s?\d+(?:,\d{3})*(?:\.\d+)?
        | \d+(?:,\d{3})*(?:\.\d+)?\s?(?:usd|dollars?|bucks|euros?|€|\$)(?!\w) | €\s?\d+(?:[.,]\d+)* )
  | (?P<percent> \d+(?:\.\d+)?\s?% )
  | (?P<number> (?:(?<![\w)])-)?
        (?: \d{1,3}(?:,\d{3})+(?![\d,]*\d) | (?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+|[km])? ) (?![^\W_]|\.\d) )
  | (?P<word> [^\W_]+(?:(?:'|\.(?=\d)|(?<=\d)\.)[^\W_]+)* )
  | (?P<punct> [^\s] )
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Kind(StrEnum):
    WORD = "word"
    NUMBER = "number"
    PERCENT = "percent"
    MONEY = "money"
    NAME = "name"
    UPLOAD = "upload"
    PUNCT = "punct"


@dataclass(frozen=True)
class Token:
    """One token; `start` and `end` count characters of the instruction.

    `glued` marks a part joined to the token before it by a hyphen or underscore: `fine-tuning` is two
    tokens, so that it reads like `fine tuning`. `breaks` marks the first token of a line.
    """

    kind: Kind
    text: str
    norm: str
    start: int
    end: int
    glued: bool = False
    breaks: bool = False
    value: Decimal | None = None


def tokenize(text: str) -> tuple[Token, ...]:
    """Tokens of a text, in order."""
    plain = text.translate(PLAIN)
    tokens: list[Token] = []
    for found in _TOKEN.finditer(plain):
        if _joins(plain, found):
            continue
        kind, norm = Kind(found.lastgroup or "punct"), found.group().lower()
        before = tokens[-1].end if tokens else 0
        between = plain[before : found.start()]
        glued = bool(tokens) and between in {"-", "_"}
        span = (found.start(), found.end())
        value = _value(kind, norm)
        tokens.append(Token(kind, text[slice(*span)], norm, *span, glued, "\n" in between, value))
    return tuple(tokens)


def _joins(text: str, found: re.Match[str]) -> bool:
    """A hyphen or underscore between two letters or digits is no token."""
    inside = found.start() > 0 and found.end() < len(text)
    if found.group() not in {"-", "_"} or not inside:
        return False
    return text[found.start() - 1].isalnum() and text[found.end()].isalnum()


def _value(kind: Kind, norm: str) -> Decimal | None:
    if kind is Kind.WORD:
        return NUMBER_WORDS.get(norm)
    if kind is not Kind.NUMBER or DOTTED_THOUSAND.search(norm):
        return None
    digits = norm.replace(",", "")
    factor = SUFFIXES.get(digits[-1], 1)
    return Decimal(digits.rstrip("km")) * factor


def glued_run(tokens: Sequence[Token], at: int) -> int:
    """The token after a run joined by hyphens."""
    end = at + 1
    while end < len(tokens) and tokens[end].glued:
        end += 1
    return end


def text_of(tokens: Sequence[Token], start: int, end: int, text: str) -> str:
    """The text from token `start` up to, not including, token `end`."""
    return text[tokens[start].start : tokens[end - 1].end]
