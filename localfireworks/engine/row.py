"""One answer in a batch, as the host sees it: what it may still write and what it has said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from localfireworks.engine.asking import Asked, Piece, Token
from localfireworks.engine.constrain import Constraint
from localfireworks.engine.text import Speller

NEVER = -1e30
Reason = Literal["stop", "length"] | None


class Row:
    """An answer being written. `ticket` is the number its asker knows it by."""

    def __init__(
        self,
        ticket: int,
        asked: Asked,
        prompt: tuple[int, ...],
        limit: int,
        table: Sequence[bytes],
        constraint: Constraint | None,
    ) -> None:
        self.ticket, self.asked, self.prompt, self.limit = ticket, asked, prompt, limit
        self.ids = np.asarray(prompt, np.int32)
        self.cached = self.shared = 0  # tokens of the prompt known before, and shared with other rows
        self.constraint, self.table, self.done = constraint, table, 0
        self.careful = asked.weighed or constraint is not None
        self._speller = Speller(table, asked.stop)
        self._written: Counter[int] = Counter()

    @property
    def left(self) -> int:
        return self.limit - self.done

    @property
    def position(self) -> int:
        """Tokens in the cache of its own, after those that it shares."""
        return len(self.prompt) - self.shared + self.done

    def weights(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Factor and bias of the next scores, [V] each (see `sampling.Weights`)."""
        asked, factor, bias = self.asked, np.ones(size, np.float32), np.zeros(size, np.float32)
        for token, count in self._written.items():
            bias[token] -= asked.presence_penalty + asked.frequency_penalty * count
        if asked.repetition_penalty != 1.0:
            factor[list({*self.prompt, *self._written})] = asked.repetition_penalty
        for token, value in asked.logit_bias.items():
            bias[token] += value
        if self.constraint is not None:
            bias[~self.constraint.allowed()] = NEVER
        return factor, bias

    def pieces(
        self,
        tokens: Sequence[int],
        chances: Sequence[float],
        top: tuple[np.ndarray, np.ndarray] | None,
        stop_ids: tuple[int, ...],
    ) -> Iterator[Piece]:
        """What these tokens say; the last piece of an answer has its reason, and nothing follows it."""
        for number, (token, chance) in enumerate(zip(tokens, chances, strict=True)):
            self.done += 1
            told = () if top is None else self._told(top[0][number], top[1][number])
            text, reason = self._say(token, stop_ids)
            yield Piece(text, token, chance, reason, self.table[token], told, self.cached)
            if reason is not None:
                return

    def _say(self, token: int, stop_ids: tuple[int, ...]) -> tuple[str, Reason]:
        if token in stop_ids:
            return self._speller.rest(), "stop"
        text = self._speller.add(token)
        if self._speller.stopped:
            return text, "stop"
        if self.careful:
            self._written[token] += 1
        if self.constraint is not None:
            self.constraint.take(token)
            if self.constraint.over:
                return text + self._speller.rest(), "stop"
        if self.done == self.limit:
            return text + self._speller.rest(), "length"
        return text, None

    def _told(self, ids: np.ndarray, chances: np.ndarray) -> tuple[Token, ...]:
        pairs = zip(ids.tolist(), chances.tolist(), strict=True)
        return tuple(Token(token, self.table[token], chance) for token, chance in pairs)[
            : self.asked.top_logprobs
        ]
