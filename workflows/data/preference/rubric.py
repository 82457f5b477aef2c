"""A rubric for judging two answers, written from training pairs: what preferred answers measurably have.

Each feature is compared within pairs: of the pairs in which it differs, the share in which the preferred
answer has more of it (the probability of superiority; Grissom & Kim 2012, "Effect Sizes for Research"),
with a Wilson interval. A feature is put into the rubric when its interval, widened for the number of
features looked at (Bonferroni), leaves one half out, and the share is far enough from it to matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from workflows.metrics.intervals import wilson

from ..lines import batches
from .features import BULLET, FEATURES, FENCE, words
from .rows import Pair, prompt_of, text_of

ERROR_RATE = 0.05
LEAST_EFFECT = 0.1  # of the share beyond one half
MOST_RULES = 5
MOST_PAIRS = 2000  # pairs measured; more would not change which features count
LEVEL = 1 - ERROR_RATE / len(FEATURES)
OPENING = (
    "Decide which answer a person who asked this would rather have: it does what the prompt asks, keeps to "
    "every limit the prompt sets, is correct and is clear."
)
CLOSING = "Where the answers are equally good, say tie."
UNGROUNDED = "No trait of the training pairs told preferred answers from the others beyond chance."


@dataclass(frozen=True, slots=True)
class Effect:
    """One feature over all pairs. `differ` pairs differ in it, in `share` of those the preferred answer has
    more, between `low` and `high`; `median` is that of preferred minus other where they differ."""

    feature: str
    differ: int
    share: float
    low: float
    high: float
    median: float

    @property
    def counts(self) -> bool:
        """Whether it is more than chance, and enough to matter."""
        return self.differ > 0 and not self.low <= 0.5 <= self.high and abs(self.share - 0.5) >= LEAST_EFFECT

    @property
    def rule(self) -> str:
        """What the judge is told, with the evidence."""
        feature = FEATURES[self.feature]
        more = self.share > 0.5
        side = self.share if more else 1 - self.share
        told = feature.more if more else feature.less
        word = "more" if more else "less"
        return f"{told} ({feature.label}: {word} in {side:.0%} of {self.differ} pairs)"

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values, with the words for people."""
        return {**asdict(self), "label": FEATURES[self.feature].label, "counts": self.counts}


@dataclass(frozen=True, slots=True)
class Rubric:
    """The text that a judge is given, and the measures it rests on, of so many pairs."""

    text: str
    pairs: int
    effects: tuple[Effect, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {"text": self.text, "pairs": self.pairs, "effects": [each.to_json() for each in self.effects]}


def measured(pairs: Iterable[Pair]) -> tuple[int, tuple[Effect, ...]]:
    """The number of pairs, and every feature's effect, the strongest first."""
    differences: dict[str, list[float]] = {name: [] for name in FEATURES}
    count = 0
    for pair in pairs:
        count += 1
        asked, preferred, other = pair.asked, pair.preferred, pair.other
        for name, feature in FEATURES.items():
            first, second = feature.measure(asked, preferred), feature.measure(asked, other)
            if first != second:
                differences[name].append(first - second)
    effects = [_effect(name, values) for name, values in differences.items() if values]
    return count, tuple(sorted(effects, key=lambda each: (-abs(each.share - 0.5), each.feature)))


def _effect(name: str, differences: Sequence[float]) -> Effect:
    more = sum(each > 0 for each in differences)
    share = wilson(more, len(differences), LEVEL)
    low, high = share.low or 0.0, 1.0 if share.high is None else share.high
    return Effect(name, len(differences), share.value, low, high, median(differences))


def of_pairs(pairs: Iterable[Pair]) -> Rubric:
    """The rubric that the pairs speak for."""
    count, effects = measured(pairs)
    rules = [each.rule for each in effects if each.counts][:MOST_RULES]
    said = f"From {count} training pairs: {'; '.join(rules)}." if rules else UNGROUNDED
    return Rubric(f"{OPENING} {said} {CLOSING}", count, effects)


CODE = frozenset({"code", "function", "script"})
LIMITS = frozenset({"words", "sentence", "sentences", "short", "brief"})
FEW_WORDS = 15
ASKED: Mapping[str, Callable[[str], bool]] = {
    "a list": lambda asked: bool(BULLET.search(asked)) or "list" in words(asked),
    "code": lambda asked: bool(FENCE.search(asked)) or bool(CODE & set(words(asked))),
    "a limit on length": lambda asked: bool(LIMITS & set(words(asked))),
    "a single fact or choice": lambda asked: asked.rstrip().endswith("?") and len(words(asked)) < FEW_WORDS,
}


def of_prompts(prompts: Iterable[str]) -> Rubric:
    """A rubric where there are no pairs yet: what the prompts ask for, as far as their words say."""
    asked = list(prompts)
    counts = {name: sum(map(test, asked)) for name, test in ASKED.items()}
    told = [f"{rows} ask for {name}" for name, rows in counts.items() if rows]
    said = f"Of {len(asked)} prompts {', '.join(told)}: judge whether that is given." if told else ""
    return Rubric(" ".join(filter(None, (OPENING, said, CLOSING))), 0)


def from_file(path: Path) -> Rubric:
    """The rubric of a file of training rows, pairs or prompts: from the first MOST_PAIRS of them."""
    rows = _rows(path)
    pairs = [Pair.of_row(row) for row in rows if "input" in row]
    if pairs:
        return of_pairs(pairs)
    return of_prompts([text_of(prompt_of(row)[-1]) for row in rows])


def _rows(path: Path) -> list[dict[str, Any]]:
    """Training rows are faultless: the split left the others out."""
    found: list[dict[str, Any]] = []
    for batch in batches(path):
        found += [orjson.loads(line) for line in batch.lines[: MOST_PAIRS - len(found)]]
        if len(found) >= MOST_PAIRS:
            break
    return found
