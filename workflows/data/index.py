"""Where the quotes, texts and values of a batch of JSON lines are, found with numpy for all bytes at once.

From it come a hash of each line's structure (everything but the texts of values; the values of `role` and
`type` belong to it), the bytes of its messages' texts, and whether those are valid: nothing is parsed. What
does not look simple is marked bad and left to the parser. Two structures could be given the same hash by
malice; what comes of it is a row that Fireworks refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from . import tokens

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

REACH = 16  # bytes of a piece between two quotes that are looked at; a longer one is left to the parser
NUMBER = 6  # bytes between two texts that may hold a number of several digits
DEEPEST = 4096  # quotes in a row
QUOTE, BACKSLASH, BRACE, NEWLINE, SPACE, LETTER_U = b'"\\{\n u'
PAD = bytes(REACH + 8)

_random = np.random.default_rng(2026)
_MIX = _random.integers(0, 2**64, 4, dtype=np.uint64) | np.uint64(1)
_PLACE = _random.integers(0, 2**64, DEEPEST, dtype=np.uint64) | np.uint64(1)
_FIRST = np.array([(1 << 8 * min(size, 8)) - 1 for size in range(REACH + 1)], dtype=np.uint64)
_SECOND = np.array([(1 << 8 * max(size - 8, 0)) - 1 for size in range(REACH + 1)], dtype=np.uint64)
_EACH = np.uint64(0x0101010101010101)
_ESCAPABLE = np.zeros(256, dtype=np.bool_)
_ESCAPABLE[list(b'"\\/bfnrtu')] = True
_HEX = np.full(256, 1 << 16, dtype=np.int64)
_HEX[list(b"0123456789")] = range(10)
_HEX[list(b"abcdef")] = _HEX[list(b"ABCDEF")] = range(10, 16)
_MAYBE_BLANK = np.zeros(256, dtype=np.bool_)
_MAYBE_BLANK[list(b" \\\xc2\xe1\xe2\xe3")] = True  # first bytes of all that is white space


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


ROLE_KEY, TYPE_KEY, CONTENT_KEY = _word(b'"role'), _word(b'"type'), _word(b'"content')
TOOLS_KEY = _word(b'"tools')
COLON, TWO_BYTES = _word(b'":'), np.uint64(0xFFFF)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in a batch without parsing. `which` has a line's structure, below 0 where the line must
    be parsed; `tokens` its estimate. The texts to compare (of all but system messages) are `text[start:end]`,
    each of the line with index `owner`."""

    which: Ints
    tokens: Ints
    text: bytes
    starts: Ints
    ends: Ints
    owner: Ints


@dataclass(slots=True)
class Index:
    """Where things are in a batch (`every` byte of it). Arrays by line: `starts`, `ends`, `first` (quote),
    `bad`, `lengths` (bytes) and `pieces` (number) of messages' texts. Arrays by quote: `quotes` (position),
    `line`, `place` (its number in the line), `size` (bytes to the next quote, or to the end of the line),
    `opaque` (a text whose value does not matter), `content` (the text of a message)."""

    text: bytes
    every: npt.NDArray[np.uint8]
    starts: Ints
    ends: Ints
    bad: Flags
    quotes: Ints
    first: Ints
    line: Ints
    place: Ints
    size: Ints
    words: tuple[Words, Words]
    opaque: Flags
    content: Flags
    lengths: Ints
    pieces: Ints

    @classmethod
    def of(cls, lines: list[bytes]) -> Index:
        """Look at a batch of lines."""
        text = b"\n".join(lines) + b"\n" + PAD
        sizes = np.fromiter(map(len, lines), np.int64, len(lines))
        ends = np.cumsum(sizes + 1) - 1
        starts = ends - sizes
        every = np.frombuffer(text, np.uint8)[: len(text) - len(PAD)]
        bad = np.zeros(len(lines), dtype=np.bool_)
        if np.count_nonzero(every < SPACE) != ends.size:
            controls = np.flatnonzero((every < SPACE) & (every != NEWLINE))
            bad[np.searchsorted(ends, controls)] = True
        if not text.isascii() and not _is_utf8(b"\n".join(line for line in lines if not line.isascii())):
            bad |= [not _is_utf8(line) for line in lines]
        escapes = _escapes(every)
        escaped = every[escapes + 1]
        saved, broken = _saved(text, escapes, escaped)
        bad[np.searchsorted(ends, escapes[broken])] = True
        quotes = np.flatnonzero(every == QUOTE)
        keep = np.ones(quotes.size, dtype=np.bool_)
        keep[np.searchsorted(quotes, escapes[escaped == QUOTE] + 1)] = False
        return cls._of_quotes(text, every, starts, ends, bad, quotes[keep], (escapes, saved))

    @classmethod
    def _of_quotes(
        cls,
        text: bytes,
        every: npt.NDArray[np.uint8],
        starts: Ints,
        ends: Ints,
        bad: Flags,
        quotes: Ints,
        escapes: tuple[Ints, Ints],
    ) -> Index:
        first = np.searchsorted(quotes, starts)
        counts = np.diff(first, append=quotes.size)
        line = np.repeat(np.arange(starts.size), counts)
        place = np.arange(quotes.size) - np.repeat(first, counts)
        after = np.append(quotes[1:], 0)
        after[first[counts > 0] + counts[counts > 0] - 1] = ends[counts > 0]
        size = after - quotes
        words = _words(text, quotes, size)
        numbers = np.flatnonzero((size >= NUMBER) & (place % 2 == 1))
        for word in words:
            word[numbers] = _any_number(word[numbers])
        opaque, content = _values(words[0], size, place)
        tools = line[(words[0] == TOOLS_KEY) & (size == 6)]
        if tools.size:  # what is in them counts as tokens: they must be the same
            with_tools = np.zeros(starts.size, dtype=np.bool_)
            with_tools[tools] = True
            opaque &= content | ~with_tools[line]
        bad |= (counts % 2 == 1) | (counts == 0) | (counts > DEEPEST)
        bad[line[(size > REACH) & ~opaque]] = True
        head = quotes[np.minimum(first, quotes.size - 1)] if quotes.size else starts
        bad |= (every[starts] != BRACE) | (head != starts + 1)
        index = cls(
            text,
            every,
            starts,
            ends,
            bad,
            quotes,
            first,
            line,
            place,
            size,
            words,
            opaque,
            content,
            size,
            size,
        )
        index._measure(*escapes)
        return index

    def _measure(self, escapes: Ints, saved: Ints) -> None:
        """Bytes and number of the messages' texts by line, escapes counted as what they stand for. Lines with
        a blank text are left to the parser."""
        texts = np.flatnonzero(self.content)
        owner, count = self.line[texts], self.starts.size
        lengths = np.bincount(owner, self.size[texts] - 1, count)
        if self.quotes.size and escapes.size:
            quote = np.maximum(np.searchsorted(self.quotes, escapes) - 1, 0)
            inside = self.content[quote] & (escapes < self.quotes[quote] + self.size[quote])
            lengths -= np.bincount(self.line[quote[inside]], saved[inside], count)
        self.lengths, self.pieces = lengths.astype(np.int64), np.bincount(owner, minlength=count)
        begin = self.every[self.quotes[texts] + 1]
        second = self.every[np.minimum(self.quotes[texts] + 2, self.every.size - 1)]
        said = (
            (begin == SPACE) & (second > SPACE) & (second < 128) & (second != BACKSLASH) & (second != QUOTE)
        )
        maybe = (self.size[texts] == 1) | (_MAYBE_BLANK[begin] & ~said)
        for text in texts[maybe].tolist():
            at, size = int(self.quotes[text]), int(self.size[text])
            self.bad[self.line[text]] |= _is_blank(self.text[at : at + size])

    def hashes(self) -> tuple[Words, Flags]:
        """A hash of each line's structure, and which lines have one."""
        first, second = (np.where(self.opaque, 0, word) for word in self.words)
        size = np.where(self.opaque, REACH + 1, self.size).astype(np.uint64)
        mixed = (first * _MIX[0]) ^ (second * _MIX[1] + size * _MIX[2])
        mixed ^= mixed >> np.uint64(31)
        mixed *= _MIX[3]
        mixed ^= mixed >> np.uint64(29)
        mixed *= _PLACE[np.minimum(self.place, DEEPEST - 1)]
        found = np.zeros(self.starts.size, dtype=np.uint64)
        has = np.diff(self.first, append=self.quotes.size) > 0
        if has.any():
            found[has] = np.add.reduceat(mixed, self.first[has])
        return found, ~self.bad

    def tokens(self, more: Ints | int = 0) -> Ints:
        size = self.lengths + more
        return -(-size // tokens.BYTES_PER_TOKEN) + tokens.PER_MESSAGE * self.pieces + tokens.PER_SAMPLE

    def agrees(self, line: int, row: dict[str, Any]) -> bool:
        """Whether a row that was parsed has just the texts and tokens that were found without parsing."""
        more = len(orjson.dumps(row["tools"])) if row.get("tools") else 0
        counted = int(self.tokens(more)[line])
        return len(row["messages"]) == self.pieces[line] and tokens.of_sample(row) == counted

    def looked(self, which: Ints, systems: Flags, more: Ints) -> Looked:
        """The batch with the texts of the known lines; a system message is the first text of its line."""
        texts = np.flatnonzero(self.content)
        owner = self.line[texts]
        head = np.diff(owner, prepend=-1) > 0
        wanted = (which[owner] >= 0) & ~(head & systems[np.maximum(which[owner], 0)])
        texts, owner = texts[wanted], owner[wanted]
        starts = self.quotes[texts] + 1
        counted = self.tokens(more[np.maximum(which, 0)])
        return Looked(which, counted, self.text, starts, starts + self.size[texts] - 1, owner)


def _escapes(every: npt.NDArray[np.uint8]) -> Ints:
    """Positions of the backslashes that escape what follows: the first, third, … of each run."""
    found = np.flatnonzero(every == BACKSLASH)
    if not found.size:
        return found
    begins = np.diff(found, prepend=-2) != 1
    run = np.maximum.accumulate(np.where(begins, found, 0))
    first: Ints = found[(found - run) % 2 == 0]
    return first


def _saved(text: bytes, escapes: Ints, escaped: npt.NDArray[np.uint8]) -> tuple[Ints, Flags]:
    """By how many bytes each escape is longer than what it stands for, in UTF-8; and which are no valid ones.

    Half of a surrogate pair stands for two bytes of the four.
    """
    saved = np.ones(escapes.size, dtype=np.int64)
    broken = ~_ESCAPABLE[escaped]
    which = np.flatnonzero(escaped == LETTER_U)
    if which.size:
        every, at = np.frombuffer(text, np.uint8), escapes[which]
        code: Ints = np.zeros(which.size, dtype=np.int64)
        for digit in range(4):
            code += _HEX[every[at + 2 + digit]] << 4 * (3 - digit)
        high, low = (code >> 10) == 0xD800 >> 10, (code >> 10) == 0xDC00 >> 10
        follows = np.zeros(which.size, dtype=np.bool_)
        follows[1:] = np.diff(at) == 6
        paired = low & follows & np.append(False, high[:-1])
        led = np.append(paired[1:], False)
        broken[which] = (code >= 1 << 16) | (high & ~led) | (low & ~paired)
        saved[which] = np.where(high | low, 4, 5 - (code >= 0x80) - (code >= 0x800))
    return saved, broken


def _words(text: bytes, quotes: Ints, size: Ints) -> tuple[Words, Words]:
    """The first 16 bytes from each quote on, as two numbers; what is past `size` is 0."""
    windows = np.ndarray((len(text) - REACH + 1,), f"V{REACH}", text, strides=(1,))  # one at every byte
    words: Words = windows[quotes].view("<u8").reshape(-1, 2)
    reach = np.minimum(size, REACH)
    return words[:, 0] & _FIRST[reach], words[:, 1] & _SECOND[reach]


def _any_number(word: Words) -> Words:
    """Eight bytes with each digit from 1 to 9 as 1: rows whose numbers differ have one structure.

    0 stays, for a number may not begin with it. Bytes are told apart in their number, without carries.
    """
    digits = word ^ (_EACH * np.uint64(0x30))  # 0 to 9 where there was a digit
    low = digits & (_EACH * np.uint64(0x7F))
    above, not_zero = low + _EACH * np.uint64(0x76), low + _EACH * np.uint64(0x7F)
    which = (not_zero & ~above & ~digits & (_EACH * np.uint64(0x80))) >> np.uint64(7)
    made: Words = word ^ ((digits ^ _EACH) & (which * np.uint64(0xFF)))
    return made


def _values(word: Words, size: Ints, place: Ints) -> tuple[Flags, Flags]:
    """Which texts are values that do not matter, and which of them are the contents of messages."""
    value = np.zeros(word.size, dtype=np.bool_)
    content = value.copy()
    if word.size > 2:
        key = word[:-2]
        value[2:] = (place[2:] % 2 == 0) & (place[2:] >= 2) & ((word[1:-1] & TWO_BYTES) == COLON)
        value[2:] &= (key != ROLE_KEY) & (key != TYPE_KEY)
        content[2:] = value[2:] & (key == CONTENT_KEY) & (size[:-2] == 8)
    return value, content


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_blank(quoted: bytes) -> bool:
    """Whether a text, given from its opening quote on, is empty or white space; also when it is no text."""
    try:
        return not str(orjson.loads(quoted + b'"')).strip()
    except orjson.JSONDecodeError:
        return True
