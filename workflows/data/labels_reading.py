"""What an answer means that is not written exactly as asked: which labels, and whether others beside them.

Case, spaces, signs and markup around a label do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from workflows.metrics.multilabel import OUTSIDE

from .labels_extraction import Found, key, mentions

LEAD = re.compile(
    r"^\W*(?:the\s+)?(?:labels?|answers?|categor(?:y|ies)|class(?:es)?|intents?)\W*(?:is|are)?\s*[:=]",
    re.IGNORECASE,
)
LISTED = re.compile(r"^\s*\d+[.)]\s+")
FENCE = "```"
COMMAS = re.compile(r"\s*[,;]\s*")
JOINED = re.compile(r"\s+(?:and|or)\s+|\s*[&+|/]\s*", re.IGNORECASE)
SPARE_WORDS = 1  # that an invented label may have more than the longest of the set; beyond, it is a sentence


@dataclass(frozen=True)
class Names:
    """The label set, and how texts stand for its labels."""

    labels: tuple[str, ...]

    def of(self, text: str) -> str | None:
        """The label that a text is but for case, spaces and signs; None for any other text."""
        return self._by_key.get(key(text)) or self._by_signs(text)

    def mentioned(self, text: str) -> Found:
        """The labels that stand in a sentence."""
        return self._mentions(text)

    def several(self, text: str) -> list[str]:
        """The labels of an answer, line by line and within a line part by part, with OUTSIDE where it lists
        another one. What is longer than a label explains, and is none. Empty when no part is a label."""
        lines = (each for each in text.splitlines() if not each.strip().startswith(FENCE))
        found = [each for line in lines for each in self._line(LISTED.sub("", LEAD.sub("", line)))]
        return found if any(each != OUTSIDE for each in found) else []

    def _line(self, line: str) -> Iterator[str]:
        """A whole line is one label before it is several: a label may hold a comma."""
        parts = COMMAS.split(line)
        while parts:
            longest = min(len(parts), self._commas + 1)
            runs = ((count, self.of(", ".join(parts[:count]))) for count in range(longest, 0, -1))
            count, label = next((each for each in runs if each[1]), (1, None))
            if label:
                yield label
            else:
                yield from self._joined(parts[0])
            parts = parts[count:]

    def _joined(self, part: str) -> Iterator[str]:
        """The labels of `red and blue`; another label is OUTSIDE, a sentence nothing."""
        pieces = JOINED.split(part)
        lists = all(map(self._is_short, pieces)) and not part.rstrip("* ").endswith(":")
        for piece in pieces if lists else [part]:
            if label := self.of(piece):
                yield label
            elif lists and words(piece):
                yield OUTSIDE

    def _is_short(self, text: str) -> bool:
        return len(words(text)) <= self._words + SPARE_WORDS

    @cached_property
    def _words(self) -> int:
        return max(len(words(each)) for each in self.labels)

    @cached_property
    def _commas(self) -> int:
        return max(len(COMMAS.findall(each)) for each in self.labels)

    @cached_property
    def _by_key(self) -> dict[str, str]:
        return {key(label): label for label in reversed(self.labels)}

    def _by_signs(self, text: str) -> str | None:
        """The one label that is the same but for signs: `card-lost.` for `card_lost`, never C for C++."""
        alike = self._by_bare.get(bare(text), [])
        return alike[0] if len(alike) == 1 else None

    @cached_property
    def _by_bare(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for label in self.labels:
            found.setdefault(bare(label), []).append(label)
        return found

    @cached_property
    def _mentions(self) -> Callable[[str], Found]:
        return mentions(self.labels)


def words(text: str) -> Sequence[str]:
    """The words of a text, `_` and `-` between them."""
    return re.findall(r"[^\W_]+", text)


def bare(text: str) -> str:
    """What is left of a label without case, spaces and signs; of signs alone, the text itself."""
    return "".join(words(text)).casefold() or text.strip()
