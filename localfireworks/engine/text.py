"""Text that grows token by token: whole characters only, and nothing that may turn out to be a stop
string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from tokenizers import Tokenizer


def byte_alphabet() -> dict[str, int]:
    """The byte behind each character of a byte-level vocabulary: printable ones stand for themselves, the
    others for characters from 256 on, in order."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


def token_bytes(tokenizer: Tokenizer, size: int) -> list[bytes]:
    """The bytes of each token up to `size`; nothing for special tokens and for ids without a token."""
    alphabet = byte_alphabet()
    table = [b""] * size
    for token, place in tokenizer.get_vocab(with_added_tokens=False).items():
        if all(character in alphabet for character in token):
            table[place] = bytes(alphabet[character] for character in token)
    for place, added in tokenizer.get_added_tokens_decoder().items():
        table[place] = b"" if added.special else added.content.encode()
    return table


class Speller:
    """Turns tokens into text increments; `stopped` once a stop string has come (it is not part of the
    text). `table` has the bytes of each token."""

    def __init__(self, table: Sequence[bytes], stop: Sequence[str] = ()) -> None:
        self.table, self.stop, self.stopped = table, [each for each in stop if each], False
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def add(self, token: int) -> str:
        """The text that can be shown after this token; it may be empty."""
        text = self._characters.decode(self.table[token])
        return self._release(self._held + text) if self.stop else text

    def rest(self) -> str:
        """What was held back, when nothing follows."""
        text = self._held + self._characters.decode(b"", final=True)
        self._held = ""
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
