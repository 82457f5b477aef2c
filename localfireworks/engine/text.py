"""Text that grows token by token: whole characters only, and nothing that may turn out to be a stop
string."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

LONGEST_CHARACTER = 4  # bytes of one character in UTF-8, and so the most tokens it can take


class Speller:
    """Turns tokens into text increments; `stopped` once a stop string has come (it is not part of the
    text)."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str] = ()) -> None:
        self.tokenizer, self.stop, self.stopped = tokenizer, [each for each in stop if each], False
        self._tokens: list[int] = []
        self._held = ""

    def add(self, token: int) -> str:
        """The text that can be shown after this token; it may be empty."""
        self._tokens.append(token)
        text = self.tokenizer.decode(self._tokens)
        if text.endswith("\ufffd") and len(self._tokens) < LONGEST_CHARACTER:
            return ""
        self._tokens = []
        return self._release(self._held + text)

    def rest(self) -> str:
        """What was held back, when nothing follows."""
        text = self._held + (self.tokenizer.decode(self._tokens) if self._tokens else "")
        self._held, self._tokens = "", []
        return text

    def _release(self, text: str) -> str:
        found = [place for place in (text.find(each) for each in self.stop) if place >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max((overlap(text, each) for each in self.stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def overlap(text: str, stop: str) -> int:
    """Length of the longest beginning of `stop` that `text` ends with."""
    return next((size for size in range(min(len(text), len(stop)), 0, -1) if text.endswith(stop[:size])), 0)
