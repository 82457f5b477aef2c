"""Answers written together: rows come and go between chunks of a few tokens.

A row's tokens depend on its own request alone. The sums behind them may round differently in another company
(other widths, other orders of addition), by about 1e-6: only scores that are equal to that can change places.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from localfireworks.engine.asking import Asked, Piece
from localfireworks.engine.config import ModelConfig
from localfireworks.engine.decoding import CHUNK, State, Written, place, read, resize, write
from localfireworks.engine.reading import SIZES, Pass, fitting, passes, width_of
from localfireworks.engine.row import Row
from localfireworks.engine.sampling import Draws, Weights

CHUNK_SECONDS = 0.05  # what a chunk should take at most, so that new requests and readers need not wait
EMPTY = Asked()


class Pace:
    """How long a step takes, in seconds, and so how many make a chunk."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    def steps(self) -> int:
        """Steps that take about CHUNK_SECONDS; one to begin with, which tells how long a step takes."""
        if self._seconds is None:
            return 1
        return max(1, min(CHUNK, int(CHUNK_SECONDS / max(self._seconds, 1e-6))))

    def keep(self, seconds: float) -> None:
        """A slow step may have been compiled on the way, so it counts only little."""
        self._seconds = min(seconds, 1.2 * self._seconds) if self._seconds else min(seconds, CHUNK_SECONDS)


class Batch:
    """The rows of one model. Not for several threads at once."""

    def __init__(
        self, params: dict[str, Any], config: ModelConfig, stop_ids: tuple[int, ...], pace: Pace | None = None
    ) -> None:
        self._params, self._config, self._stop_ids = params, config, stop_ids
        self._waiting: deque[Row] = deque()
        self._rows: list[Row | None] = []
        self._state: State | None = None
        self._pace = pace or Pace()

    def __len__(self) -> int:
        return len(self._waiting) + sum(row is not None for row in self._rows)

    @property
    def busy(self) -> bool:
        return bool(self._waiting) or any(self._rows)

    def tickets(self) -> list[int]:
        return [row.ticket for row in (*self._rows, *self._waiting) if row is not None]

    def add(self, row: Row) -> None:
        self._waiting.append(row)

    def drop(self, ticket: int) -> None:
        """Forget a request, wherever it is."""
        self._waiting = deque(row for row in self._waiting if row.ticket != ticket)
        self._rows = [row if row and row.ticket != ticket else None for row in self._rows]

    def step(self) -> list[tuple[int, list[Piece]]]:
        """Take in what waits and write up to CHUNK tokens in each row; pieces by ticket."""
        self._arrange()
        active = [row for row in self._rows if row is not None]
        if not active:
            return []
        careful = any(row.careful for row in active)
        told = any(row.asked.top_logprobs for row in active)
        limit = 1 if careful else self._pace.steps()
        idle = self._rows.count(None) + max(1, len(self._rows) // 4)
        patience = min(idle, len(self._rows)) if self._waiting else len(self._rows)
        started = time.perf_counter()
        self._state, written = write(
            self._params,
            self._state,
            self._draws(),
            self._weights() if careful else None,
            np.int32(limit),
            np.int32(patience),
            self._config,
            self._stop_ids,
            told,
        )
        written = jax.device_get(written)
        self._pace.keep((time.perf_counter() - started) / max(int(written.steps), 1))
        return self._hand_out(written)

    def _arrange(self) -> None:
        """Rows for all that can be taken in, a cache wide enough for the next chunk, prompts read and
        placed."""
        active = [row for row in self._rows if row is not None]
        count = fitting(len(active) + len(self._waiting), SIZES)
        fresh = [self._waiting.popleft() for _ in range(min(count - len(active), len(self._waiting)))]
        if not active:
            self._state, self._rows = None, []
        if not active and not fresh:
            return
        most = self._config.max_position_embeddings
        width = width_of(max(row.position + min(CHUNK, row.left) for row in [*active, *fresh]), most)
        self._fit(count, width)
        if fresh:
            self._take_in(fresh, width)

    def _fit(self, count: int, width: int) -> None:
        """Give the state `count` rows of `width` positions, when it has others."""
        if self._state is None:
            self._rows = [None] * count
            return
        kept = [place for place, row in enumerate(self._rows) if row is not None]
        if count != len(self._rows) or width > self._state.keys[0].shape[2]:
            taken = (kept + [kept[0]] * count)[:count]
            self._state = resize(self._state, np.asarray(taken, np.int32), width)
            self._rows = ([self._rows[each] for each in kept] + [None] * count)[:count]

    def _take_in(self, fresh: Sequence[Row], width: int) -> None:
        """Read each different prompt once, and place it in the rows of all that asked for it."""
        askers: dict[tuple[int, ...], list[Row]] = {}
        for row in fresh:
            askers.setdefault(row.prompt, []).append(row)
        for each in passes(list(askers), self._config.max_position_embeddings):
            known = read(self._params, each.tokens, each.positions, each.segments, self._config)
            places = [
                (row, start, len(prompt))
                for prompt, start in zip(each.prompts, each.starts, strict=True)
                for row in askers[prompt]
            ]
            self._place(known, each, places, width)

    def _place(self, known: Any, each: Pass, places: Sequence[tuple[Row, int, int]], width: int) -> None:
        count = 1 if self._state is not None and len(places) == 1 else len(self._rows)
        starts, lengths = np.zeros(count, np.int32), np.ones(count, np.int32)
        rows = np.full(count, len(self._rows), np.int32)
        free = (index for index, row in enumerate(self._rows) if row is None)
        taken: list[tuple[int, Row]] = []
        for number, (row, start, length) in enumerate(places):
            index = next(free)
            starts[number], lengths[number], rows[number] = start, length, index
            taken.append((index, row))
        wide = width if self._state is None else self._state.keys[0].shape[2]
        source = np.minimum(starts[:, None] + np.arange(wide, dtype=np.int32), each.tokens.size - 1)
        self._state = place(self._params, self._state, known, source, lengths, rows, self._config)
        for index, row in taken:
            self._rows[index] = row

    def _draws(self) -> Draws:
        rows = [(row.asked, row.done, row.left) if row else (EMPTY, 0, 0) for row in self._rows]
        return Draws(
            np.asarray([asked.temperature for asked, _, _ in rows], np.float32),
            np.asarray([asked.top_p for asked, _, _ in rows], np.float32),
            np.asarray([asked.top_k for asked, _, _ in rows], np.int32),
            np.asarray([asked.min_p for asked, _, _ in rows], np.float32),
            np.asarray([asked.seed % 2**31 for asked, _, _ in rows], np.uint32),
            np.asarray([done for _, done, _ in rows], np.int32),
            np.asarray([left for _, _, left in rows], np.int32),
        )

    def _weights(self) -> Weights:
        size = self._config.vocab_size
        factor, bias = (np.full((len(self._rows), size), value, np.float32) for value in (1, 0))
        for index, row in enumerate(self._rows):
            if row is not None and row.careful:
                factor[index], bias[index] = row.weights(size)
        return Weights(factor, bias)

    def _hand_out(self, written: Written) -> list[tuple[int, list[Piece]]]:
        handed: list[tuple[int, list[Piece]]] = []
        counts, top = written.counts.tolist(), written.top
        for index, row in enumerate(self._rows):
            if row is None or not counts[index]:
                continue
            until = slice(0, counts[index])
            told = (top[0][index], top[1][index]) if top is not None and row.asked.top_logprobs else None
            pieces = list(
                row.pieces(
                    written.tokens[index, until].tolist(),
                    written.chances[index, until].tolist(),
                    told,
                    self._stop_ids,
                )
            )
            handed.append((row.ticket, pieces))
            if pieces[-1].finish_reason is not None:
                self._rows[index] = None
        return handed
