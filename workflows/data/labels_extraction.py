"""How a label is taken from an assistant's message where a row has no `ground_truth`.

Five rules, tried on a sample of the messages. Given labels decide first: the rule that finds most of them.
Without them, of the rules that find something short in nearly every message, JSON where messages are that,
else the one that finds the fewest different values: a label is what recurs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import orjson

LONGEST = 80  # characters of a label; the specification takes no longer one
COVERAGE = 0.9  # share of the messages in which a rule must find something
KEYS = ("label", "labels", "category", "categories", "class", "intent", "sentiment", "topic", "answer")
NAMED = re.compile(
    rf"^\W*(?:final\s+)?(?:{'|'.join(KEYS)})\W*\s*[:=]\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE
)
FENCE = re.compile(r"^```\w*\n(.*)\n```$", re.DOTALL)
SHORTEST = 3  # characters of a label that a sentence can mention
COMMON = re.compile(
    "all|and|any|are|but|can|does|for|has|have|how|its|may|more|most|none|not|now|one|other|our|out|that|the|"
    "there|they|this|was|what|when|where|which|who|why|will|with|you|your",
    re.IGNORECASE,
)
BEFORE = 80  # characters before a mention in which a negation is looked for
NEGATED = re.compile(
    r"(?<!\w)(?:not|no|never|neither|nor|cannot|without|\w+n['’]t)\s+(?:[“\"'`*]*\w+\s+){0,2}[“\"'`*]*$",
    re.IGNORECASE,
)  # up to two words before what it denies: “not a billing question”
WORDS_APART = re.compile(r"[\s_-]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
Found = tuple[str, ...]


def tidy(text: str) -> str:
    """A label as it is kept: on one line, without control characters, without space around it."""
    return CONTROL.sub(" ", text).strip()


def key(label: str) -> str:
    """Equal for labels that differ only by case or spaces."""
    return "".join(label.split()).casefold()


def _short(text: str) -> Found:
    """The text as one label when it can be one."""
    label = tidy(text)
    return (label,) if label and len(label) <= LONGEST and "\n" not in text.strip() else ()


def whole(text: str) -> Found:
    """The whole message."""
    return _short(text)


def last_line(text: str) -> Found:
    """The last line that is not blank."""
    lines = text.strip().splitlines()
    return _short(lines[-1]) if lines else ()


def named(text: str) -> Found:
    """What stands after `Label:` and the like; the last such line."""
    found = NAMED.findall(text)
    return _short(found[-1].strip("*`\"' .")) if found else ()


def in_json(text: str) -> Found:
    """The value of `label` and the like in a JSON object; a list gives several labels."""
    fenced = FENCE.match(text.strip())
    try:
        made = orjson.loads(fenced[1] if fenced else text)
    except orjson.JSONDecodeError:
        return ()
    value = next((made[name] for name in KEYS if name in made), None) if isinstance(made, dict) else made
    if isinstance(value, list) and value and all(isinstance(each, str) and _short(each) for each in value):
        return tuple(dict.fromkeys(tidy(each) for each in value))
    return _short(value) if isinstance(value, str) and isinstance(made, dict) else ()


def mentions(labels: Sequence[str]) -> Callable[[str], Found]:
    """Finds the labels that a text mentions, in their order: those that stand in it as words of their own.
    “card arrival” is `card_arrival`, unless that is as much another label.

    A longer label hides those inside it. A label of one or two characters, or one that any sentence may hold,
    is never taken for mentioned, nor one that follows a negation.
    """
    telling = [each for each in labels if len(each) >= SHORTEST and not COMMON.fullmatch(each)]
    alike = Counter(map(spaced, labels))
    loose = {each for each in telling if alike[spaced(each)] == 1 and not common(each)}
    longest_first = sorted(telling, key=len, reverse=True)
    patterns = (rf"(?<!\w){_loosely(each) if each in loose else re.escape(each)}(?!\w)"
                for each in longest_first)  # fmt: skip
    pattern = re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)

    def find(text: str) -> Found:
        found = [
            each[0]
            for each in pattern.finditer(text)
            if not NEGATED.search(text, max(0, each.start() - BEFORE), each.start())
        ]
        closely, by_words = set(map(key, found)), set(map(spaced, found))
        return tuple(
            each for each in telling if (spaced(each) in by_words if each in loose else key(each) in closely)
        )

    return find


def spaced(label: str) -> str:
    """Equal for labels that differ only by case and by what stands between their words."""
    return " ".join(WORDS_APART.split(label)).casefold()


def common(label: str) -> bool:
    """Whether any sentence may hold all its words in a row."""
    return all(COMMON.fullmatch(each) for each in WORDS_APART.split(label) if each)


def _loosely(label: str) -> str:
    """The pattern of a label with spaces, `_` or `-` between its words."""
    return r"[\s_-]+".join(map(re.escape, WORDS_APART.split(label)))


def mentioned(labels: Sequence[str]) -> Callable[[str], Found]:
    """The one of the given labels that the message mentions; none when it mentions several."""
    by_mention = mentions(labels)

    def find(text: str) -> Found:
        found = by_mention(text)
        return found if len({key(each) for each in found}) == 1 else ()

    return find


@dataclass(frozen=True)
class Rule:
    """One way to take a label from a message: in words, and as a function (empty: it found none)."""

    words: str
    find: Callable[[str], Found]


JSON = Rule("the field “label” (or category, class, intent, …) of the JSON in the assistant message", in_json)
RULES = (  # of equals the first: “Label: billing” is the label billing, though the message is short
    JSON,
    Rule("what stands after “Label:” (or category, class, intent, …) in the assistant message", named),
    Rule("the whole assistant message", whole),
    Rule("the last line of the assistant message", last_line),
)


def choose(texts: Sequence[str], given: Iterable[str] = ()) -> Rule | None:
    """The rule for these messages; None when no rule finds a label in nearly all of them."""
    labels = list(given)
    if labels:
        return _by_labels(texts, labels)
    fitting = []
    for place, rule in enumerate(RULES):
        found = [rule.find(text) for text in texts]
        if texts and sum(map(bool, found)) >= COVERAGE * len(texts):
            different = {key(each) for labels in found for each in labels}
            fitting.append((rule is not JSON, len(different), place))
    return RULES[min(fitting)[-1]] if fitting else None


def _by_labels(texts: Sequence[str], labels: Sequence[str]) -> Rule | None:
    """The rule that finds given labels in the most messages; the earlier one when they are even."""
    rules = (*RULES, Rule("the one of your labels that the assistant message mentions", mentioned(labels)))
    known = {key(each) for each in labels}
    hits = [sum(any(key(each) in known for each in rule.find(text)) for text in texts) for rule in rules]
    return rules[hits.index(max(hits))] if texts and max(hits) else None
