"""Reading prompts: each different one once, and only what is not known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from localfireworks.engine.config import ModelConfig
from localfireworks.engine.decoding import Read, known, read
from localfireworks.engine.prefixes import LEAST, Prefix, Prefixes, beginnings
from localfireworks.engine.reading import Part, Pass, lay_out, passes, width_of
from localfireworks.engine.row import Row

ALONE = 64  # new tokens from which on the prompt of a single request is kept


class Found(NamedTuple):
    """A row whose prompt was read: where in what was read its own positions begin, and how many there are."""

    row: Row
    source: np.ndarray
    last: int


class Reader:
    """Reads the prompts of one model."""

    def __init__(self, params: dict[str, Any], config: ModelConfig, prefixes: Prefixes) -> None:
        self._params, self._config, self._prefixes = params, config, prefixes

    def learn(self, rows: Sequence[Row]) -> None:
        """Read and keep what several prompts begin with; a row has in `cached` what was known of its prompt
        before."""
        different = list({row.prompt: row for row in rows}.values())
        bare = {}
        for number, ids in beginnings([row.ids for row in different]) if self._prefixes.most else ():
            _, count = self._prefixes.find(ids)
            if len(ids) - count >= LEAST:
                self._keep(ids)
                bare[different[number].prompt] = count
        for row in rows:
            _, count = self._prefixes.find(row.ids[:-1])
            row.cached = bare.pop(row.prompt, count)

    def choose(self, rows: Sequence[Row]) -> Prefix:
        """The beginning that most of the rows share."""
        found = Counter(self._prefixes.find(row.ids[:-1])[0] for row in rows)
        return found.most_common(1)[0][0]

    def read(self, rows: Sequence[Row], theme: Prefix) -> Iterator[tuple[Read, list[Found]]]:
        """Read the prompts of rows that share with `theme` as much as their `shared` says."""
        groups: dict[Prefix, dict[tuple[int, ...], tuple[int, list[Row]]]] = {}
        for row in rows:
            prefix, count = (theme, row.shared) if row.shared else self._prefixes.find(row.ids[:-1])
            groups.setdefault(prefix, {}).setdefault(row.prompt, (count, []))[1].append(row)
        for prefix, prompts in groups.items():
            askers = list(prompts.values())
            parts = [Part(same[0].ids[count:], count) for count, same in askers]
            for each in passes(parts, self._config.max_position_embeddings):
                made, width = self._run(prefix, each), prefix.past.width
                found = [
                    Found(row, *_sources(row, parts[number], width, start))
                    for number, start in zip(each.numbers, each.starts, strict=True)
                    for row in askers[number][1]
                ]
                yield made, found
                if len(rows) == 1 and self._prefixes.most:
                    self._keep_alone(rows[0], found[0], made, parts[0])

    def _run(self, prefix: Prefix, each: Pass) -> Read:
        made: Read = read(
            self._params, prefix.past, each.tokens, each.positions, each.segments, each.shared, self._config
        )
        return made

    def _keep(self, ids: np.ndarray) -> None:
        prefix, count = self._prefixes.find(ids[:-1])
        most = self._config.max_position_embeddings
        part = Part(ids[count:], count)
        made = self._run(prefix, lay_out([part], [[0]], 1, width_of(len(part.ids), most)))
        source = np.append(np.arange(count), prefix.past.width + np.arange(len(part.ids)))
        self._prefixes.keep(Prefix(ids, known(made, _padded(source, width_of(len(ids), most)))))

    def _keep_alone(self, row: Row, found: Found, made: Read, part: Part) -> None:
        """Who asks one by one finds what the last request began with."""
        if part.begun * 2 < len(row.ids) or len(part.ids) >= ALONE:
            source = found.source if not row.shared else np.append(np.arange(row.shared), found.source)
            width = width_of(len(row.ids), self._config.max_position_embeddings)
            self._prefixes.keep(Prefix(row.ids, known(made, _padded(source, width))))


def _sources(row: Row, part: Part, width: int, start: int) -> tuple[np.ndarray, int]:
    """Where the positions that a row keeps itself are, [n]; and its last hidden state."""
    source = width + start + np.arange(len(part.ids))
    if not row.shared:
        source = np.append(np.arange(part.begun), source)
    return source, start + len(part.ids) - 1


def _padded(source: np.ndarray, width: int) -> np.ndarray:
    return np.pad(source, (0, width - len(source)), mode="edge").astype(np.int32)
