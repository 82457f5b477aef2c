"""The answer must hold certain facts."""

from __future__ import annotations

import re
from typing import Any

# settings
FACTS: tuple[str, ...] = ()

# rule
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
TOKEN = re.compile(r"[^\W_]+(?:[.,][0-9]+)*")
WORD = re.compile(r"[^\W\d_][\w'’-]*")
LONG = 7  # letters of a word that is taken for a fact where there are few names and numbers
ENOUGH, MOST = 3, 12


def flat(text: str) -> str:
    """The words alone, one blank around each, so that whole words are found."""
    return f" {' '.join(TOKEN.findall(text.casefold()))} "


def facts_of(expected: Any) -> list[str]:
    """The facts asked for; else the expected answer's numbers and names, and long words where few."""
    if FACTS:
        return list(FACTS)
    if isinstance(expected, (list, tuple)):
        return [str(each) for each in expected]
    text = str(expected)
    starts = {match.end() for match in re.finditer(r"(?:^|[.!?:]\s+|\n\s*)", text)}
    names = [m.group() for m in WORD.finditer(text) if m.group()[0].isupper() and m.start() not in starts]
    found = list(dict.fromkeys([*NUMBER.findall(text), *names]))
    if len(found) < ENOUGH:
        found += [
            word for word in dict.fromkeys(WORD.findall(text)) if len(word) >= LONG and word not in found
        ]
    return found[:MOST]


def mentioned(fact: str, given: str, answer: str) -> bool:
    """Whether it is among the words `given`; one of signs alone (####) in the answer as it stands."""
    return flat(fact) in given if flat(fact).strip() else fact in answer


def compare(answer: str, expected: Any) -> tuple[float, str]:
    """The share of the facts that the answer mentions, as whole words, whatever their case."""
    wanted = facts_of(expected)
    if not wanted:
        raise ValueError("the expected answer holds no fact that could be looked for")
    given = flat(answer)
    missing = [fact for fact in wanted if not mentioned(fact, given, answer)]
    held = len(wanted) - len(missing)
    said = f"; missing: {', '.join(missing[:5])}" if missing else ""
    return held / len(wanted), f"{held} of {len(wanted)} facts{said}"


# trial
def spoil(answer: str) -> str:
    """The same answer without what could be a fact."""
    shorter = answer
    for fact in [*facts_of(answer), *FACTS]:
        shorter = re.sub(re.escape(fact), "something", shorter, flags=re.IGNORECASE)
    return shorter
