"""What instructions demand that can be checked without a model, and whether an answer meets it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

WORD = re.compile(r"[\w'’-]+")
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10}
NUMBER = rf"(\d+|{'|'.join(NUMBERS)})"
LEAST = "(?:at least|no fewer than|minimum of)"
MOST = "(?:at most|no more than|up to|under|less than|fewer than|within)"
ABOUT = "(?:exactly|in|of|has|have|contain|about|only)"
QUOTED = "['\"“]([^'\"”]+)['\"”]"
NAMED = f"(?:words?|keywords?|phrase)s? {QUOTED}"
Check = Callable[[re.Match[str], str], bool]


def words_of(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text)]


def count_words(text: str) -> int:
    return len(words_of(text))


def count_sentences(text: str) -> int:
    return len([part for part in re.split(r"[.!?]+(?:\s|$)", text) if part.strip()])


def count_paragraphs(text: str) -> int:
    return len([part for part in re.split(r"\n\s*\n|\n?\*\*\*\n?", text) if part.strip()])


def count_bullets(text: str) -> int:
    return len(re.findall(r"(?m)^\s*(?:[-*•]|\d+[.)])\s", text))


def _at_least(wanted: int, found: int) -> bool:
    return found >= wanted


def _at_most(wanted: int, found: int) -> bool:
    return found <= wanted


def _about(wanted: int, found: int) -> bool:
    return abs(found - wanted) <= wanted / 5


def _counted(count: Callable[[str], int], fits: Callable[[int, int], bool]) -> Check:
    return lambda match, answer: fits(NUMBERS.get(match[1].lower()) or int(match[1]), count(answer))


def _has(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda _, answer: compiled.search(answer) is not None


def _is_json(_: re.Match[str], answer: str) -> bool:
    inner = re.sub(r"^```\w*\n|```$", "", answer.strip()).strip()
    try:
        return isinstance(json.loads(inner), dict | list)
    except ValueError:
        return False


def _in_case(change: Callable[[str], str]) -> Check:
    return lambda _, answer: answer == change(answer)


def _ends(match: re.Match[str], answer: str) -> bool:
    return answer.rstrip(" \n\"'").lower().endswith(match[1].strip().lower())


UNITS: tuple[tuple[str, Callable[[str], int]], ...] = (
    ("words?", count_words),
    ("sentences?", count_sentences),
    ("paragraphs?", count_paragraphs),
    ("(?:bullet points?|bullets|list items|points)", count_bullets),
)
AMOUNTS = ((LEAST, _at_least), (MOST, _at_most), (ABOUT, _about))
# What in an instruction makes the demand (case does not matter), and the check of an answer.
DEMANDS: tuple[tuple[str, Check], ...] = (
    *((f"{how} {NUMBER} {unit}", _counted(count, fits)) for how, fits in AMOUNTS for unit, count in UNITS),
    (r"\bjson\b", _is_json),
    (
        "(?:single|one) word\\b|only the (?:label|name|category|word)",
        lambda _, answer: count_words(answer) <= 3,
    ),
    ("bullet|list of", lambda _, answer: count_bullets(answer) > 0),
    ("(?:no|without|any|avoid|not use(?: any)?) commas?", lambda _, answer: "," not in answer),
    ("all (?:in )?lower ?-?case|lowercase letters", _in_case(str.lower)),
    ("all (?:in )?(?:capital|caps|upper)|entire.{1,30}capital letters", _in_case(str.upper)),
    (
        "(?:wrap|enclose|surround).{1,60}double quot",
        lambda _, answer: answer.strip()[:1] == '"' == answer.strip()[-1:],
    ),
    ("<<[^>]*>>|double angular brackets", _has(r"<<[^\n]+>>")),
    (r"postscript|P\.(?:P\.)?S\b", _has(r"P\.\s?(?:P\.)?\s?S")),
    ("placeholders?", _has(r"\[[^\]]+\]")),
    ("highlight", _has(r"\*[^*\n]+\*")),
    (f"(?:end|finish).{{1,40}}(?:phrase|with|words?):? {QUOTED}", _ends),
    (
        rf"(?:do not|don't|never|without)[^.\n]{{0,40}}{NAMED}",
        lambda match, answer: match[1].lower() not in answer.lower(),
    ),
    (
        rf"(?<!not )(?:include|mention|use)[^.\n]{{0,30}}{NAMED}",
        lambda match, answer: match[1].lower() in answer.lower(),
    ),
)
COMPILED = tuple((re.compile(pattern, re.IGNORECASE), check) for pattern, check in DEMANDS)


def met_demands(asked: str, answer: str) -> tuple[int, int]:
    """How many of the instruction's demands the answer meets, and how many there are."""
    results = [
        check(match, answer) for pattern, check in COMPILED if (match := pattern.search(asked)) is not None
    ]
    return sum(results), len(results)
