"""What a judge is shown: the instruction and two marked answers, in any of the usual markings.

Accepted, with A and B or 1 and 2, whatever the case:
  tags       <answer_a>…</answer_a>, <response_b>…</response_b>, <A>…</A>, <answer id="A">…</answer>
  brackets   [The Start of Assistant A's Answer] … [The End of Assistant A's Answer]
  headings   Answer A: …, ### Response B, **Assistant A**, [Answer B], Option 1: … at the beginning of a line
  JSON       {"instruction": …, "answer_a": …, "answer_b": …}, alone or in a fence
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NOUN = r"(?:answer|response|assistant|output|completion|option|candidate|reply|model)"
TAG = re.compile(rf"<(?:{NOUN}[ _-]?)?([ab12])>(.*?)</(?:{NOUN}[ _-]?)?\1>", re.IGNORECASE | re.DOTALL)
ID_TAG = re.compile(rf"<{NOUN}\s+\w+=[\"']?([ab12])[\"']?\s*>(.*?)</{NOUN}>", re.IGNORECASE | re.DOTALL)
BRACKET = re.compile(
    rf"\[(?:the )?start of {NOUN} ([ab12])[^\]]*\](.*?)\[(?:the )?end of {NOUN} \1[^\]]*\]",
    re.IGNORECASE | re.DOTALL,
)
HEADING = re.compile(
    rf"^[ \t]*[#>*_\[-]*[ \t]*(?:the )?{NOUN}[ _]?([ab12])(?:'s \w+)?(?:[ \t]*[:*\]_]+:?|[ \t]*$)",
    re.IGNORECASE | re.MULTILINE,
)
ASKED_TAG = re.compile(
    r"<(prompt|instruction|question|request|task|input|conversation)>(.*?)</\1>", re.IGNORECASE | re.DOTALL
)
ASKED_HEADING = re.compile(
    r"^[ \t]*[#>*_\[-]*[ \t]*(?:the )?(?:user(?:'s)? )?"
    r"(?:prompt|instruction|question|request|task|input|user)(?:[ \t]*[:*\]_]+:?|[ \t]*$)",
    re.IGNORECASE | re.MULTILINE,
)
# Where the judge is spoken to again after the last answer under a heading.
CLOSING = re.compile(
    r"\n[ \t]*\n?[ \t#*_>\[-]*"
    r"(?:which|who|please|now |reply|respond|return|say |decide|verdict|judge|choose|pick|\[end\b|---|"
    r"your (?:verdict|decision|answer)|answer (?:with|only|in|by)|output (?:only|your|exactly|one))",
    re.IGNORECASE,
)
JSON_ANSWERS = tuple(
    tuple(form.format(mark) for mark in marks)
    for form in ("answer_{}", "response_{}", "completion_{}", "output_{}", "assistant_{}", "{}")
    for marks in ("ab", "12")
)
JSON_ASKED = ("instruction", "prompt", "question", "request", "task", "input")
SPEAKER = re.compile(r"^(?:user|human|prompt):\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Comparison:
    """What was asked, the answers in their order, and how the prompt names them."""

    asked: str
    first: str
    second: str
    names: tuple[str, str] = ("A", "B")

    def swapped(self) -> Comparison:
        return Comparison(self.asked, self.second, self.first, self.names)


def text_of(messages: Sequence[dict[str, Any]], roles: tuple[str, ...]) -> str:
    """The text of all messages of these roles."""
    parts: list[str] = []
    for message in messages:
        content = message.get("content") or ""
        if message.get("role") in roles:
            parts += (
                [content] if isinstance(content, str) else [str(part.get("text", "")) for part in content]
            )
    return "\n".join(parts)


def read(text: str) -> Comparison | None:
    """The comparison in a prompt; None when no two answers are marked in it."""
    return _json(text) or _enclosed(text) or _headed(text)


def _json(text: str) -> Comparison | None:
    begin, end = text.find("{"), text.rfind("}")
    try:
        value = json.loads(text[begin : end + 1])
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    keys = {str(key).lower(): str(content) for key, content in value.items()}
    for one, two in JSON_ANSWERS:
        if one in keys and two in keys:
            asked = next((keys[key] for key in JSON_ASKED if key in keys), text[:begin])
            return Comparison(asked, keys[one], keys[two], _names(one[-1]))
    return None


def _names(mark: str) -> tuple[str, str]:
    return ("1", "2") if mark == "1" else ("A", "B")


def _enclosed(text: str) -> Comparison | None:
    """Answers between a beginning and an end, which may hold anything."""
    for pattern in (TAG, ID_TAG, BRACKET):
        found = {match[1].lower(): match for match in reversed(list(pattern.finditer(text)))}
        for one, two in ("ab", "12"):
            if one in found and two in found:
                before = text[: min(found[one].start(), found[two].start())]
                return Comparison(_asked(before), found[one][2].strip(), found[two][2].strip(), _names(one))
    return None


def _headed(text: str) -> Comparison | None:
    """Answers below headings: each ends at the other's heading, the last where the judge is spoken to."""
    marks = list(HEADING.finditer(text))
    for one, two in ("ab", "12"):
        first = next((mark for mark in marks if mark[1].lower() == one), None)
        second = next((mark for mark in marks if mark[1].lower() == two), None)
        if first and second:
            early, late = sorted((first, second), key=lambda mark: mark.start())
            last = CLOSING.split(text[late.end() :], maxsplit=1)[0]
            parts = {early[1].lower(): text[early.end() : late.start()], late[1].lower(): last}
            return Comparison(
                _asked(text[: early.start()]), parts[one].strip(), parts[two].strip(), _names(one)
            )
    return None


def _asked(before: str) -> str:
    """The instruction that was answered: marked, or all that stands before the answers."""
    if tagged := ASKED_TAG.findall(before):
        return SPEAKER.sub("", str(tagged[-1][1]).strip())
    headings = list(ASKED_HEADING.finditer(before))
    return before[headings[0].end() :].strip() if headings else before.strip()
