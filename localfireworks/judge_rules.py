"""How the stand-in judge scores an answer. A fixed rule: no model, the same answer always the same score.

    score = 2 × overlap + 3 × format + variety − length

overlap  share of the instruction's words (3 letters or more, without common ones) that the answer has
format   share of the demands found in the instruction (`judge_demands`) that the answer meets; 1 without any
variety  share of the answer's word triples that are different: loops and repetition score low
length   0.25 × log2(words / 150) above 150 words

An answer without words scores −9. Nothing of it looks at the place of an answer.
"""

from __future__ import annotations

import math
import re

from localfireworks.judge_demands import count_words, met_demands, words_of

COMMON = frozenset(
    re.findall(
        r"\w+",
        """the and for are with that this from you your not but all any can has have had was were will would
        should could about into than then them they their there what when where which who how why our out use
        using write give make please answer response""",
    )
)
FREE_WORDS = 150
EMPTY_SCORE = -9.0


def overlap(asked: str, answer: str) -> float:
    wanted = {word for word in words_of(asked) if len(word) > 2} - COMMON
    return len(wanted.intersection(words_of(answer))) / len(wanted) if wanted else 1.0


def variety(answer: str) -> float:
    words = words_of(answer)
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return len(set(triples)) / len(triples) if triples else 1.0


def score(asked: str, answer: str) -> float:
    """The rule at the head of this module."""
    words = count_words(answer)
    if not words:
        return EMPTY_SCORE
    met, demands = met_demands(asked, answer)
    format_ = met / demands if demands else 1.0
    length = 0.25 * max(0.0, math.log2(words / FREE_WORDS))
    return 2 * overlap(asked, answer) + 3 * format_ + variety(answer) - length
