"""Token counts without a tokenizer: an estimate from bytes, and it says so.

Rule: UTF-8 bytes of the texts / 4, plus 4 per message (the chat template's role marks), plus 3 per sample.
For English with byte-level BPE vocabularies of 100k and more this is usually within 30 %; templates,
reasoning traces and other languages move it (facts sheet 9: own counts were seen 45 % low). A range is
quoted.
`counting` does better where the base model's tokenizer is at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

BYTES_PER_TOKEN = 4
PER_MESSAGE = 4
PER_SAMPLE = 3
LOW, HIGH = 0.75, 1.45  # of an estimate; own counts were seen 45 % below the billed ones
METHOD = (
    "Estimated, for want of the base model's tokenizer: UTF-8 bytes / 4, plus 4 tokens for each message and "
    "3 for each sample. The real count is usually between 25 % less and 45 % more."
)
QUANTILES = 1000
LONGEST = 200  # rows whose length is kept with their line
TEXT_FIELDS = ("reasoning_content",)
CALL_FIELDS, TOOL_FIELDS = ("tool_calls", "function_call"), ("tools", "functions")


def of_bytes(size: int, messages: int) -> int:
    """Estimated tokens of one sample with `messages` messages and `size` bytes of text."""
    return -(-size // BYTES_PER_TOKEN) + PER_MESSAGE * messages + PER_SAMPLE


def text_bytes(text: str) -> int:
    """UTF-8 length of a text."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def content_bytes(content: Any) -> int:
    """UTF-8 length of a message's content: a text, or a list of parts with `text`."""
    if isinstance(content, str):
        return text_bytes(content)
    if isinstance(content, list):
        return sum(text_bytes(part["text"]) for part in content if _has_text(part))
    return 0


def _has_text(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def message_bytes(message: Mapping[str, Any]) -> int:
    """UTF-8 length of what a chat template renders of a message."""
    size = content_bytes(message.get("content"))
    size += sum(text_bytes(message[key]) for key in TEXT_FIELDS if isinstance(message.get(key), str))
    return size + sum(len(orjson.dumps(message[key])) for key in CALL_FIELDS if message.get(key))


def of_sample(row: Any) -> int:
    """Estimated tokens of a chat row; 0 for what is none."""
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list):
        return 0
    size = sum(message_bytes(message) for message in messages if isinstance(message, dict))
    size += sum(len(orjson.dumps(row[key])) for key in TOOL_FIELDS if row.get(key))
    return of_bytes(size, len(messages))


@dataclass(frozen=True, slots=True)
class Scaled:
    """What to multiply estimates by, within which range, and how it was found."""

    scale: float = 1.0
    low: float = LOW
    high: float = HIGH
    method: str = METHOD


@dataclass(frozen=True, slots=True)
class TokenStats:
    """Tokens over all usable samples, and per sample; `histogram` is (upper bound, samples) pairs.

    The total lies between `low` and `high`. `quantiles` are the lengths at each thousandth of the samples,
    `longest_rows` the longest samples as (tokens, line). `scale` is what estimates were multiplied by.
    """

    total: int = 0
    p50: int = 0
    p90: int = 0
    p99: int = 0
    longest: int = 0
    histogram: tuple[tuple[int, int], ...] = ()
    method: str = METHOD
    low: int = 0
    high: int = 0
    scale: float = 1.0
    quantiles: tuple[int, ...] = ()
    longest_rows: tuple[tuple[int, int], ...] = ()

    def over(self, limit: float, samples: int) -> int:
        """Samples of more than `limit` tokens: exact up to LONGEST of them, to the next thousandth above."""
        known = sum(length > limit for length, _ in self.longest_rows)
        if known < len(self.longest_rows) or known == samples:
            return known
        return max(
            known, samples * sum(length > limit for length in self.quantiles) // max(1, len(self.quantiles))
        )


def stats(counts: Sequence[int], lines: Sequence[int] = (), scaled: Scaled | None = None) -> TokenStats:
    """Total, percentiles (nearest rank) and a histogram whose bounds are powers of two.

    `lines` has the physical line of each count; `scaled` what a tokenizer says of the estimate.
    """
    scaled = scaled or Scaled()
    given = np.asarray(counts)
    if not given.size:
        return TokenStats(method=scaled.method)
    ranked = np.sort(given)
    total, longest = (
        round(int(given.sum(dtype=np.uint64)) * scaled.scale),
        round(int(ranked[-1]) * scaled.scale),
    )
    places = np.maximum(np.ceil(np.linspace(0, 1, QUANTILES + 1) * ranked.size).astype(np.int64) - 1, 0)
    ranks = np.rint(ranked[places] * scaled.scale).astype(np.int64)
    bounds = [2**power for power in range(4, max(4, (longest - 1).bit_length()) + 1)]
    upto = np.searchsorted(ranked, [(bound + 0.5) / scaled.scale for bound in bounds])
    histogram = tuple(
        (bound, int(rows)) for bound, rows in zip(bounds, np.diff(upto, prepend=0), strict=True)
    )
    return TokenStats(
        total=total,
        p50=int(ranks[QUANTILES // 2]),
        p90=int(ranks[QUANTILES * 9 // 10]),
        p99=int(ranks[QUANTILES * 99 // 100]),
        longest=longest,
        histogram=histogram,
        method=scaled.method,
        low=round(total * scaled.low / scaled.scale),
        high=round(total * scaled.high / scaled.scale),
        scale=scaled.scale,
        quantiles=tuple(ranks.tolist()) if given.size > LONGEST else (),
        longest_rows=_longest(given, lines, scaled.scale),
    )


def _longest(values: npt.NDArray[Any], lines: Sequence[int], scale: float) -> tuple[tuple[int, int], ...]:
    """The longest samples as (tokens, line), longest first, then by line."""
    if len(lines) != len(values):
        return ()
    least = np.partition(values, -LONGEST)[-LONGEST] if len(values) > LONGEST else 0
    found = [
        (round(int(values[at]) * scale), int(lines[at]))
        for at in np.flatnonzero(values >= least)[: 50 * LONGEST]
    ]
    return tuple(sorted(found, key=lambda each: (-each[0], each[1]))[:LONGEST])
