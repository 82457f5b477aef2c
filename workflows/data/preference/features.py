"""What can be measured of an answer without a model, for telling preferred answers from the others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
SENTENCE_END = re.compile(r"[.!?…。！？]+(?=\s|$|[\"'”)\]])")
BULLET = re.compile(r"(?m)^\s*(?:[-*•+]|\d{1,3}[.)])\s+\S")
HEADING = re.compile(r"(?m)^#{1,6}\s+\S")
BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")
FENCE = re.compile(r"(?m)^\s*(?:```|~~~)")
PARAGRAPH = re.compile(r"\n\s*\n")
TASK = (  # what is declined: a regret ("sorry to hear that") or a wish ("can't wait") alone declines nothing
    r"(?:help|assist|provide|answer|fulfil?l?|comply|support|do (?:that|this|so)|offer|give|generate|create"
    r"|write|produce|discuss|share|complete|continue|engage|respond|process|access|perform|carry out|make)"
)
REFUSAL = re.compile(
    r"\b(?:i|we)\s+(?:simply |really |just )?"
    r"(?:can(?:no|'|’)?t|can not|could(?:n(?:'|’)?t| not)|won(?:'|’)?t|will not"
    r"|do(?:n(?:'|’)?t| not) have the ability to)\s+"
    rf"(?:be able to |in good conscience )?{TASK}\b"
    rf"|\b(?:unable|not able|not allowed|not permitted)\s+to\s+{TASK}\b"
    r"|\b(?:i|we)\s+(?:must|have to|need to)\s+(?:respectfully )?(?:decline|refuse)\b"
    r"|\bas an? (?:ai|artificial intelligence|large)?\s*(?:language )?(?:model|assistant)\b"
    r"|\bi do(?:n(?:'|’)?t| not) have access\b",
    re.IGNORECASE,
)
REFUSAL_HEAD = 200  # characters; a refusal says so at once
SHORT_WORD = 3  # letters; shorter words say little about what a text is about


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return [word.lower() for word in WORD.findall(text)]


def refuses(answer: str) -> bool:
    """Whether an answer begins by declining what was asked."""
    return REFUSAL.search(answer[:REFUSAL_HEAD]) is not None


def overlap(asked: str, answer: str) -> float:
    """The share of the prompt's longer words that the answer takes up, 0 to 1."""
    wanted = {word for word in words(asked) if len(word) > SHORT_WORD}
    return len(wanted & set(words(answer))) / len(wanted) if wanted else 0.0


def repetition(answer: str) -> float:
    """The share of three-word runs that stood in the answer before, 0 to 1."""
    said = words(answer)
    runs = list(zip(said, said[1:], said[2:], strict=False))
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def is_finished(answer: str) -> float:
    """1 when the answer ends as a sentence, a list, code or data does, else 0."""
    end = answer.rstrip()
    lines = end.splitlines()
    whole = end[-1:] in '.!?…。！？"”)]}`*>' or bool(lines and BULLET.match(lines[-1]))
    return float(whole)


def is_json(answer: str) -> float:
    """1 when the whole answer, without a fence around it, is a JSON object or list."""
    inner = re.sub(r"^```\w*\n|\n?```$", "", answer.strip()).strip()
    if inner[:1] not in ("{", "["):
        return 0.0
    try:
        json.loads(inner)
    except (ValueError, RecursionError):
        return 0.0
    return 1.0


def upper_share(answer: str) -> float:
    """The share of letters that are capitals."""
    letters = list(filter(str.isalpha, answer))
    return sum(map(str.isupper, letters)) / len(letters) if letters else 0.0


@dataclass(frozen=True, slots=True)
class Feature:
    """One measure of (asked, answer); `more` and `less` are what a judge is told when preferred answers have
    more or less of it."""

    label: str
    measure: Callable[[str, str], float]
    more: str
    less: str


def _count(pattern: re.Pattern[str]) -> Callable[[str, str], float]:
    return lambda _asked, answer: float(len(pattern.findall(answer)))


FEATURES: Mapping[str, Feature] = {
    "words": Feature(
        "length in words",
        lambda _asked, answer: float(len(words(answer))),
        "prefer the fuller answer where its length adds substance, never for length alone",
        "prefer the more concise answer as long as nothing asked for is missing",
    ),
    "refusal": Feature(
        "refusals",
        lambda _asked, answer: float(refuses(answer)),
        "prefer declining where the request should not be met",
        "prefer the answer that does the task over one that declines or excuses itself",
    ),
    "overlap": Feature(
        "words of the prompt taken up",
        overlap,
        "prefer the answer that stays with what the prompt names",
        "prefer the answer that does not merely repeat the prompt",
    ),
    "lists": Feature(
        "list items",
        _count(BULLET),
        "prefer a list where there are several points",
        "prefer running text over lists",
    ),
    "headings": Feature(
        "headings", _count(HEADING), "prefer headings in longer answers", "prefer answers without headings"
    ),
    "bold": Feature(
        "bold passages", _count(BOLD), "prefer key terms set in bold", "prefer plain text over bold"
    ),
    "code": Feature(
        "code blocks", _count(FENCE), "prefer code in fenced blocks", "prefer prose over code blocks"
    ),
    "paragraphs": Feature(
        "paragraphs",
        lambda _asked, answer: float(len([part for part in PARAGRAPH.split(answer) if part.strip()])),
        "prefer answers set in paragraphs",
        "prefer one connected text over many paragraphs",
    ),
    "json": Feature(
        "answers that are JSON",
        lambda _asked, answer: is_json(answer),
        "prefer valid JSON",
        "prefer text over bare JSON",
    ),
    "capitals": Feature(
        "share of capitals",
        lambda _asked, answer: upper_share(answer),
        "prefer capital letters where the prompt asks for them",
        "prefer ordinary spelling over capitals",
    ),
    "repetition": Feature(
        "repeated phrases",
        lambda _asked, answer: repetition(answer),
        "prefer repetition where the prompt asks for it",
        "prefer the answer that does not repeat itself",
    ),
    "finished": Feature(
        "answers that end like a sentence or list",
        lambda _asked, answer: is_finished(answer),
        "prefer the answer that comes to its end",
        "do not ask for a closing full stop",
    ),
}
