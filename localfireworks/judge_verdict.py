"""In what form the stand-in judge says its verdict: a JSON schema, an object, `[[A]]`, or the bare letter."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from localfireworks.judge_reading import Comparison, read, text_of

FIELDS = (
    *("verdict", "winner", "preference", "preferred", "choice", "better", "decision"),
    *("judgment", "judgement", "label", "answer", "result"),
)
NAMED_FIELD = re.compile(rf"[\"'`]({'|'.join(FIELDS)})[\"'`]", re.IGNORECASE)
TIE_ALLOWED = re.compile(r"\btie\b|\btied\b|\bdraw\b|\[\[c\]\]|\bneither\b|equally good", re.IGNORECASE)
TIES = ("tie", "draw", "equal", "neither", "both", "c", "same", "0")
NOUNS = ("answer", "response", "assistant", "model", "output", "completion", "option")
SPELLINGS = tuple(
    {
        letter,
        digit,
        word,
        *(f"{noun}{gap}{mark}" for noun in NOUNS for gap in " _-" for mark in (letter, digit)),
    }
    for letter, digit, word in (("a", "1", "first"), ("b", "2", "second"))
)


@dataclass(frozen=True)
class Verdict:
    """`place` 0: the first answer is better, 1: the second, None: a tie."""

    place: int | None
    comparison: Comparison
    scores: tuple[float, float]

    @property
    def name(self) -> str:
        return "tie" if self.place is None else self.comparison.names[self.place]

    @property
    def reason(self) -> str:
        one, two = self.comparison.names
        return f"Stand-in judge: {one} scores {self.scores[0]:.3f}, {two} scores {self.scores[1]:.3f}."


def may_tie(prompt: str, schema: dict[str, Any] | None) -> bool:
    """Whether a tie can be said: the prompt speaks of one, or the schema has a value for it."""
    if schema is not None:
        texts = [str(value).lower() for value in _enums(schema)]
        return any(value in TIES for value in texts) if texts else bool(TIE_ALLOWED.search(prompt))
    return bool(TIE_ALLOWED.search(prompt))


def _enums(schema: dict[str, Any]) -> list[Any]:
    properties = schema.get("properties", {}).values()
    return [value for part in properties if isinstance(part, dict) for value in part.get("enum", [])]


def schema_of(response_format: dict[str, Any] | None) -> dict[str, Any] | None:
    """The JSON schema of `{type: json_schema, json_schema: {schema}}` or `{type, schema}`."""
    given = response_format or {}
    schema = (given.get("json_schema") or {}).get("schema") or given.get("schema")
    return schema if isinstance(schema, dict) else None


def say(verdict: Verdict, prompt: str, response_format: dict[str, Any] | None) -> str:
    """The whole answer of the judge."""
    schema = schema_of(response_format)
    if schema is not None:
        return json.dumps(filled(schema, verdict))
    if (response_format or {}).get("type") == "json_object" or re.search(r"\bjson\b", prompt, re.IGNORECASE):
        named = NAMED_FIELD.search(prompt)
        return json.dumps({named[1] if named else "verdict": verdict.name, "reason": verdict.reason})
    if re.search(r"\[\[[ab12]\]\]", prompt, re.IGNORECASE):
        mark = "C" if verdict.place is None and "[[C]]" in prompt else verdict.name
        return f"{verdict.reason}\n[[{mark}]]"
    return verdict.name


def filled(schema: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    """An object of the schema: the verdict in its field, reasons as texts, scores as numbers."""
    properties: dict[str, Any] = schema.get("properties", {})
    chosen = next((name for name in FIELDS if name in properties), None)
    chosen = chosen or next((name for name, part in properties.items() if "enum" in part), None)
    made: dict[str, Any] = {}
    for name, part in properties.items():
        made[name] = _verdict_value(part, verdict) if name == chosen else _other_value(name, part, verdict)
    return made


def _verdict_value(part: dict[str, Any], verdict: Verdict) -> Any:
    """The schema's own word for the verdict."""
    wanted = TIES if verdict.place is None else SPELLINGS[verdict.place]
    for value in part.get("enum", []):
        if str(value).lower() in wanted:
            return value
    if part.get("type") in ("integer", "number"):
        return 0 if verdict.place is None else verdict.place + 1
    return part["enum"][0] if part.get("enum") else verdict.name


def _other_value(name: str, part: dict[str, Any], verdict: Verdict) -> Any:
    if part.get("enum"):
        return part["enum"][0]
    kind = part.get("type")
    if kind in ("number", "integer"):
        place = 1 if name.lower().endswith(("b", "2", "second")) else 0
        value = min(max(verdict.scores[place], part.get("minimum", -9)), part.get("maximum", 99))
        return round(value) if kind == "integer" else round(value, 3)
    empty: dict[str, Any] = {"boolean": False, "array": [], "object": {}, "null": None}
    return empty[kind] if kind in empty else verdict.reason[: part.get("maxLength", 1000)]


def compared(messages: Sequence[dict[str, Any]]) -> Comparison | None:
    """The comparison in the users' messages, else in all of them."""
    return read(text_of(messages, ("user",))) or read(text_of(messages, ("system", "user", "assistant")))
