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
from localfireworks.engine.decoding import Places, Read, State, nothing, place, resize
from localfireworks.engine.prefixes import Prefixes
from localfireworks.engine.reader import Found, Reader
from localfireworks.engine.reading import SIZES, fitting, width_of
from localfireworks.engine.row import Row
from localfireworks.engine.sampling import Draws, Weights
from localfireworks.engine.writing import CHUNK, Written, write

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
        self,
        params: dict[str, Any],
        config: ModelConfig,
        stop_ids: tuple[int, ...],
        pace: Pace | None = None,
        prefixes: Prefixes | None = None,
    ) -> None:
        self._params, self._config, self._stop_ids = params, config, stop_ids
        prefixes = prefixes or Prefixes(nothing(config))
        self._reader, self._theme = Reader(params, config, prefixes), prefixes.none
        self._waiting: deque[Row] = deque()
        self._round: deque[Row] = deque()
        self._rows: list[Row | None] = []
        self._state: State | None = None
        self._pace = pace or Pace()

    def __len__(self) -> int:
        return len(self.tickets())

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._round) or any(self._rows)

    def tickets(self) -> list[int]:
        return [row.ticket for row in (*self._rows, *self._round, *self._waiting) if row is not None]

    def add(self, row: Row) -> None:
        self._waiting.append(row)

    def drop(self, ticket: int) -> None:
        """Forget a request, wherever it is."""
        for queue in (self._waiting, self._round):
            kept = [row for row in queue if row.ticket != ticket]
            queue.clear()
            queue.extend(kept)
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
        started = time.perf_counter()
        self._state, written = write(
            self._params,
            self._theme.past,
            self._state,
            self._draws(),
            self._weights() if careful else None,
            np.int32(limit),
            np.int32(self._patience()),
            self._config,
            self._stop_ids,
            told,
            any(row.asked.temperature > 0 for row in active),
        )
        written = jax.device_get(written)
        self._pace.keep((time.perf_counter() - started) / max(int(written.steps), 1))
        return self._hand_out(written)

    def _patience(self) -> int:
        """Rows that may have nothing to write before the chunk ends: some when others wait for their places,
        else as many as a smaller batch does without."""
        rows = len(self._rows)
        if self._waiting or self._round:
            return min(self._rows.count(None) + max(1, rows // 4), rows)
        smaller = [size for size in SIZES if size < rows - self._rows.count(None)]
        return rows - max(smaller, default=0)

    def _arrange(self) -> None:
        """Rows for all that can be taken in, a cache wide enough for the next chunk, prompts read and
        placed."""
        active = [row for row in self._rows if row is not None]
        count = fitting(len(active) + len(self._waiting) + len(self._round), SIZES)
        fresh = self._next(count - len(active))
        if not active:
            self._state, self._rows = None, []
        if not active and not fresh:
            return
        self._share(active, fresh)
        width = max(self._width(row) for row in [*active, *fresh])
        self._fit(count, width)
        if fresh:
            wide = width if self._state is None else self._state.width
            for made, found in self._reader.read(fresh, self._theme):
                self._place(made, found, wide)

    def _next(self, count: int) -> list[Row]:
        """Whatever waits makes a round, the narrowest first, so that rows of a like width come together; who
        comes later waits for the next one."""
        taken: list[Row] = []
        while len(taken) < count and (self._round or self._waiting):
            if not self._round:
                self._round.extend(sorted(self._waiting, key=self._width))
                self._waiting.clear()
            taken.append(self._round.popleft())
        return taken

    def _width(self, row: Row) -> int:
        """Positions of a cache that holds the row and its next chunk."""
        return width_of(row.position + min(CHUNK, row.left), self._config.max_position_embeddings)

    def _share(self, active: Sequence[Row], fresh: Sequence[Row]) -> None:
        """Say of each fresh row what it shares with the beginning that the batch has beside its rows; another
        one is chosen when nobody needs it any more."""
        if not fresh:
            return
        self._reader.learn(fresh)
        if not any(row.shared for row in active):
            self._theme = self._reader.choose(fresh)
        for row in fresh:
            count = self._theme.covers(row.ids[:-1])
            row.shared = count if 2 * count >= row.cached else 0

    def _fit(self, count: int, width: int) -> None:
        """Give the state `count` rows of `width` positions, when it has others."""
        if self._state is None:
            self._rows = [None] * count
            return
        kept = [place for place, row in enumerate(self._rows) if row is not None]
        if count != len(self._rows) or width > self._state.width:
            taken = (kept + [kept[0]] * count)[:count]
            self._state = resize(self._state, np.asarray(taken, np.int32), width)
            self._rows = ([self._rows[each] for each in kept] + [None] * count)[:count]

    def _place(self, made: Read, found: Sequence[Found], width: int) -> None:
        """Put rows that were read where there is room."""
        free = [index for index, row in enumerate(self._rows) if row is None][: len(found)]
        count = len(self._rows) if self._state is None else fitting(len(found), SIZES)
        source = np.zeros((count, width), np.int32)
        last, length, shared = (np.zeros(count, np.int32) for _ in range(3))
        rows = np.full(count, len(self._rows), np.int32)
        for number, (index, (row, positions, end)) in enumerate(zip(free, found, strict=True)):
            source[number, : len(positions)] = positions
            last[number], length[number], shared[number] = end, len(row.ids), row.shared
            rows[number] = index
            self._rows[index] = row
        places = Places(source, last, length, shared, rows)
        self._state = place(self._params, self._state, made, places, self._config)

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
