"""The kinds of rules: which words ask for one, whether the data allows it, and with which settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.evaluators.rules import facts, numeric
from workflows.evaluators.samples import Seen
from workflows.evaluators.schemas import containers, inferred

LONGEST_LABEL, LONGEST_EXACT = 60, 400
QUOTED = re.compile(r"(?<!\w)[\"'“„]([^\"'“”„]{1,80})[\"'”](?!\w)")
HASHES = re.compile(r"#+")
Settings = dict[str, Any]


def words(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


EXACT = words(
    r"\b(exact(ly)?|identical|verbatim|word for word|(the|be) same\b|equals?\b"
    r"|match(es)? (the )?(reference|answer|expected|ground.?truth|target|gold)\w*)"
)
ONLY_SHAPE = words(r"\b(only|just|any) (the )?(shape|schema|structure|valid json)\b|\bis valid json\b")
ANY_CASE = words(
    r"\b(ignor\w*|regardless of|whatever the) case\b|\bcase.?insensitive\b|\bnot case.?sensitive\b"
)
# A rule finds what is there; what must not be there is another thing, and must not be turned round.
NEGATED = words(r"\b(not|never|no\s+(?!or\b)\w+|without|avoid\w*|\w+n't|cannot|free of|neither)\b")
CLAUSE = re.compile(r"[,;.]\s+|\band\b|\bbut\b", re.IGNORECASE)


class DoesNotFit(Exception):
    """The data does not allow this rule; the message says why."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rule. `offer` is a sentence that asks for it; `words` recognise one that does."""

    name: str
    label: str
    offer: str
    words: re.Pattern[str]
    settings: Callable[[Seen, str], Settings]


def numeric_settings(seen: Seen, criterion: str) -> Settings:
    without = [each for each in seen.kept if numeric.final_number(str(each.expected)) is None]
    if without:
        raise DoesNotFit(f"{len(without)} of {len(seen.kept)} expected answers hold no number")
    told = [each for each in (*QUOTED.findall(criterion), *HASHES.findall(criterion)) if all_have(seen, each)]
    usual = [each for each in ("####", "final answer:", "answer:") if all_have(seen, each)]
    return {"MARKERS": tuple(dict.fromkeys([*told, *usual]))}


def all_have(seen: Seen, marker: str) -> bool:
    return all(marker.lower() in each.answer.lower() for each in seen.kept)


def json_settings(seen: Seen, criterion: str) -> Settings:
    values = containers([each.expected for each in seen.kept])
    if values is None:
        raise DoesNotFit("not every expected answer is a JSON object or list")
    return {"SCHEMA": inferred(values), "COMPARE_VALUES": not ONLY_SHAPE.search(criterion)}


def label_settings(seen: Seen, _criterion: str) -> Settings:
    if any(isinstance(each.expected, dict | list) for each in seen.kept):
        raise DoesNotFit("an expected answer is a list or an object, not one label")
    labels = sorted(seen.labels)
    if seen.too_many_labels or len(labels) > max(2, seen.usable // 2):
        count = "more than 200" if seen.too_many_labels else len(labels)
        raise DoesNotFit(
            f"there are {count} different answers in {seen.usable:,} rows, which is no set of labels"
        )
    if len(labels) < len(("one", "other")):
        raise DoesNotFit("every row has the same answer")
    longest = max(labels, key=len)
    if len(longest) > LONGEST_LABEL:
        raise DoesNotFit(f"an answer of {len(longest)} characters is no label")
    return {"LABELS": tuple(labels)}


def exact_settings(seen: Seen, criterion: str) -> Settings:
    longest = max(len(str(each.expected)) for each in seen.kept)
    if longest > LONGEST_EXACT and not EXACT.search(criterion):
        raise DoesNotFit(
            f"an expected answer has {longest:,} characters; few models write that word for word"
        )
    return {"IGNORE_CASE": bool(ANY_CASE.search(criterion))}


def fact_settings(seen: Seen, criterion: str) -> Settings:
    told = tuple(QUOTED.findall(criterion))
    if not told and any(not facts.facts_of(each.expected) for each in seen.kept):
        raise DoesNotFit("some expected answers hold no number, name or long word to look for")
    return {"FACTS": told}


# In the order in which they are tried: what is narrower comes first.
KINDS: Mapping[str, Kind] = {
    each.name: each
    for each in (
        Kind(
            "json_schema", "JSON of a known shape", "The answer must be JSON, with the reference's values.",
            words(r"\bjson\b|\bschema\b"), json_settings,
        ),
        Kind(
            "numeric", "the final number", "The final number must match.",
            words(r"\b(number|numeric\w*|figure|amount|integer|sum|total|digits?|numerical\w*)s?\b|####"),
            numeric_settings,
        ),
        Kind(
            "one_of", "one of a set", "The answer must be the right one of the labels.",
            words(r"\b(labels?|class(es)?|categor\w+|intents?|one of|choices?|options?|yes or no)\b"),
            label_settings,
        ),
        Kind(
            "facts", "required facts", "The answer must mention the facts of the reference.",
            words(r"\b(mentions?|contains?|includes?|facts?|covers?|names?|states?)\b"), fact_settings,
        ),
        Kind("exact", "the same text", "The answer must be exactly the reference.", EXACT, exact_settings),
    )
}  # fmt: skip


def said(criterion: str) -> list[Kind]:
    """The kinds that a sentence asks for, in the order in which they are tried."""
    unquoted = ANY_CASE.sub(" ", QUOTED.sub(" ", criterion))
    if NEGATED.search(unquoted):
        return []
    return [kind for kind in KINDS.values() if kind.words.search(unquoted)]


def unchecked(kind: Kind, criterion: str) -> list[str]:
    """Parts of the sentence that this kind of rule does not speak of: they are told, not dropped."""
    clauses = [
        each.strip(" .") for each in CLAUSE.split(QUOTED.sub(lambda m: m[0].replace(",", " "), criterion))
    ]
    told = [each for each in clauses if each and not QUOTED.fullmatch(each) and not ANY_CASE.search(each)]
    return [each for each in told if not kind.words.search(each)] if len(told) > 1 else []
