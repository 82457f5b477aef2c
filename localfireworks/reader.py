"""The reader of rehearsals: a fixed rule in the place of a model, under a name that says so.

It fills an object of the JSON schema that was asked for, whose properties are objects of `quote` and `value`,
from the text that it is given. The rule, for each property: find a word of its title or name in the text, and
near it a value that the schema allows. It knows no portal: only the schema and the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localfireworks.answering import Generator, Messages
from localfireworks.backend import Engine
from localfireworks.judge import Judge
from localfireworks.judge_reading import text_of
from localfireworks.judge_verdict import schema_of

STANDIN = "reader"
WORD = re.compile(r"[^\W_]+(?:[.\-][^\W_]+)*")
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
NEAR = 6  # words between a title's word and its value
UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
)
NUMBERS = {word: number for number, word in enumerate(UNITS.split())} | {"thirty-two": 32, "twice": 2}
SMALL = {"the", "of", "a", "an", "at", "as", "in", "for", "against", "what", "counts", "most", "right"}
NO = {"no", "not", "without", "never", "don't"}
Found = tuple[int, int, Any]  # first and last word of the text, and the value


def reading(messages: Messages, response_format: dict[str, Any] | None = None) -> str:
    """The reader's whole answer to a conversation."""
    properties = (schema_of(response_format) or {}).get("properties", {})
    text = text_in(messages)
    found = {name: of_property(name, part, text) for name, part in properties.items()}
    return json.dumps({name: value for name, value in found.items() if value}, ensure_ascii=False)


def text_in(messages: Messages) -> str:
    """The text to be read: the last message, of a JSON object its first text."""
    last = text_of(messages[-1:], ("user",))
    try:
        given = json.loads(last)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return last
    return next((each for each in given.values() if isinstance(each, str)), "")


def of_property(name: str, part: dict[str, Any], text: str) -> dict[str, Any] | None:
    """Quote and value of one property; None where the text says nothing of it."""
    inner = part.get("properties", {})
    if set(inner) != {"quote", "value"}:
        return None
    words, about = list(WORD.finditer(text)), stems(f"{part.get('title', '')} {name}")
    said = [word[0] for word in words]
    for at, word in enumerate(said):
        if stem(word) in about and (found := near(said, at, inner["value"], about)):
            first, last, value = found
            return {"quote": text[words[first].start() : words[last].end()], "value": value}
    return None


def stem(word: str) -> str:
    return word.lower().rstrip("s")


def stems(title: str) -> set[str]:
    """The words of a title that tell it from others."""
    return {stem(word) for word in re.findall(r"[a-z]+", title.lower())} - SMALL


def near(words: list[str], at: int, schema: dict[str, Any], about: set[str]) -> Found | None:
    """The allowed values near the title's word at `at`: right before it, else after it, else before it."""
    if schema.get("type") == "boolean":
        return switched(words, at, about)
    many = schema.get("type") == "array"
    one = schema["items"] if many else schema
    before, after = range(at - 1, max(-1, at - 1 - NEAR), -1), range(at + 1, min(len(words), at + 1 + NEAR))
    found = [
        [(place, value) for place in side if (value := allowed(words[place], one)) is not None]
        for side in (before, after)
    ]
    beside = bool(found[0]) and found[0][0][0] == at - 1
    nearest = found[0] if beside or not found[1] else found[1]
    kept = sorted(nearest if many else nearest[:1], key=lambda pair: pair[0])
    if not kept:
        return None
    spots, values = [at, *(place for place, _ in kept)], [value for _, value in kept]
    return min(spots), max(spots), values if many else values[0]


def switched(words: list[str], at: int, about: set[str]) -> Found | None:
    """Yes or no: two words of the title near each other, and whether a “no” stands before them."""
    first, last = max(0, at - 2), min(len(words), at + 3)
    if len({stem(word) for word in words[first:last]} & about) < min(2, len(about)):
        return None
    return first, last - 1, not {word.lower() for word in words[first : at + 1]} & NO


def allowed(word: str, schema: dict[str, Any]) -> Any:
    """A word as a value of the schema; None when it is none."""
    text = word.lower()
    if schema.get("type") in ("integer", "number"):
        number = NUMBERS.get(text) if text in NUMBERS else float(text) if NUMBER.fullmatch(text) else None
        if number is None or (schema["type"] == "integer" and number != int(number)):
            return None
        number = int(number) if schema["type"] == "integer" else number
        inside = schema.get("minimum", number) <= number <= schema.get("maximum", number)
        return number if inside and number in schema.get("enum", [number]) else None
    choices = schema.get("enum", [])
    return next((each for each in choices if text == str(each).lower()), None)


class Reader(Judge):
    """Served like the judge: its tokens are words and signs."""

    def answer(self, messages: Messages, response_format: dict[str, Any] | None) -> str:
        return reading(messages, response_format)


@dataclass(frozen=True)
class ReadingEngine:
    """An engine that also has the reader."""

    engine: Engine

    def load(self, standin: str, adapter: Path | None) -> Generator:
        return Reader() if standin == STANDIN else self.engine.load(standin, adapter)

    def count_tokens(self, source: Path | Iterable[dict[str, Any]]) -> int:
        return self.engine.count_tokens(source)
