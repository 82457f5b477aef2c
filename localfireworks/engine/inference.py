"""Answers by a base model, plain or with a LoRA adapter merged in, one or many at a time.

`load("small", Path("adapter")).open()` is a batch that answers are added to; `generate` asks for a single one
and yields one `Piece` a token. One thread at a time is meant; it may be any thread.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from localfireworks.engine.runtime import configure

LANES = min(os.cpu_count() or 1, 4)  # batches at the same time on the CPU
configure(programs=LANES)

import jax  # noqa: E402 - its threads are set above
import numpy as np  # noqa: E402

from localfireworks.engine.asking import (  # noqa: E402
    Asked,
    Piece,
    PromptTooLong,
    Said,
    Token,
    check_bias,
)
from localfireworks.engine.batch import Batch, Pace  # noqa: E402
from localfireworks.engine.constrain import Grammars  # noqa: E402
from localfireworks.engine.decoding import for_decoding, read, told  # noqa: E402
from localfireworks.engine.lora import load_adapter, merge  # noqa: E402
from localfireworks.engine.reading import lay_out, width_of  # noqa: E402
from localfireworks.engine.row import Row  # noqa: E402
from localfireworks.engine.text import token_bytes  # noqa: E402
from localfireworks.engine.weights import Base, load_base  # noqa: E402

log = logging.getLogger("localfireworks")


class Generator:
    """One set of weights ready to answer."""

    def __init__(self, base: Base) -> None:
        self.config, self.renderer = base.config, base.renderer
        self.params = jax.device_put(for_decoding(base.params, base.config))
        self.table = token_bytes(self.renderer.tokenizer, self.config.vocab_size)
        self.pace = Pace()

    @property
    def context_length(self) -> int:
        """Tokens of prompt and answer together."""
        return self.config.max_position_embeddings

    @functools.cached_property
    def grammars(self) -> Grammars:
        return Grammars(self.renderer.tokenizer, self.config.vocab_size, self.renderer.stop_ids)

    def prompt(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[Any] | None = None, *, thinking: bool = True
    ) -> tuple[int, ...]:
        """Ids of the rendered prompt, the opening of the answer included."""
        return tuple(self.renderer.prompt(messages, tools, thinking=thinking))

    def encode(self, text: str) -> tuple[int, ...]:
        """Ids of a plain text; markers in it are text."""
        return tuple(self.renderer.tokenizer.encode(text, add_special_tokens=False).ids)

    def spell(self, token: int) -> bytes:
        return self.table[token]

    def check(self, logit_bias: Mapping[int, float]) -> None:
        """Refused names what this model cannot weigh."""
        check_bias(logit_bias, self.config.vocab_size)

    def count_prompt_tokens(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[Any] | None = None
    ) -> int:
        return len(self.prompt(messages, tools))

    def open(self) -> Answers:
        """A batch for answers of this model."""
        return Answers(self)

    def generate(self, messages: Sequence[dict[str, Any]], **asked: Any) -> Iterator[Piece]:
        """One answer to a conversation, token by token; fields as in `Asked`. The same request gives the same
        answer. Raises PromptTooLong before the first piece."""
        answers = self.open()
        answers.add(0, Asked(messages, **{**asked, "stop": tuple(asked.get("stop", ()))}))
        return (piece for _, pieces in iter_steps(answers) for piece in pieces)

    def prompt_chances(self, prompt: Sequence[int]) -> list[tuple[float, tuple[Token, ...]]]:
        """Log probability of each token of a prompt but the first, and the likeliest ones in its place."""
        one = lay_out([[tuple(prompt)]], 1, width_of(len(prompt), self.context_length))
        known = read(self.params, one.tokens, one.positions, one.segments, self.config)
        following = np.append(one.tokens[0, 1:], 0).astype(np.int32)
        chances, ids, best = jax.device_get(told(self.params, known.hidden, following, self.config))
        return [
            (
                float(chances[place]),
                tuple(
                    Token(token, self.spell(token), chance)
                    for token, chance in zip(ids[place].tolist(), best[place].tolist(), strict=True)
                ),
            )
            for place in range(len(prompt) - 1)
        ]


class Answers:
    """Requests of one generator, in a batch for each core: two batches at the same time get more out of two
    cores than one batch whose every product is divided between them. On a GPU there is one."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        lanes = LANES if jax.default_backend() == "cpu" else 1
        self._lanes = [self._lane() for _ in range(lanes)]

    def _lane(self) -> Batch:
        generator = self._generator
        return Batch(generator.params, generator.config, generator.renderer.stop_ids, generator.pace)

    @property
    def busy(self) -> bool:
        return any(lane.busy for lane in self._lanes)

    def tickets(self) -> list[int]:
        return [ticket for lane in self._lanes for ticket in lane.tickets()]

    def add(self, ticket: int, asked: Asked) -> None:
        """Ask for an answer, told apart by `ticket`. `max_tokens` is lowered to what the context leaves.

        Raises Refused: PromptTooLong, BadFormat for a format that cannot be followed, or a bad `logit_bias`.
        """
        generator = self._generator
        generator.check(asked.logit_bias)
        prompt = asked.prompt or generator.prompt(asked.messages, asked.tools, thinking=asked.thinking)
        room = generator.context_length - len(prompt)
        if room < 1:
            raise PromptTooLong(len(prompt), generator.context_length)
        constraint = None
        if asked.response_format is not None:
            constraint = generator.grammars.constraint(asked.response_format)
        limit = max(1, min(asked.max_tokens, room))
        lane = min(self._lanes, key=len)
        lane.add(Row(ticket, asked, prompt, limit, generator.table, constraint))

    def drop(self, ticket: int) -> None:
        for lane in self._lanes:
            lane.drop(ticket)

    def step(self) -> list[tuple[int, Said]]:
        """Write some tokens in every answer; pieces by ticket. A fault ends the answers of its lane alone."""
        busy = [place for place, lane in enumerate(self._lanes) if lane.busy]
        steps = map(self._step, busy) if len(busy) < 2 else _crew().map(self._step, busy)
        return [each for said in steps for each in said]

    def _step(self, place: int) -> Sequence[tuple[int, Said]]:
        lane = self._lanes[place]
        asking = lane.tickets()  # before the step: afterwards some may be neither waiting nor in a row
        try:
            return lane.step()
        except Exception as fault:
            log.exception("A batch of %d answers broke off", len(asking))
            self._lanes[place] = self._lane()  # what the old one holds may be half written
            return [(ticket, fault) for ticket in asking]


@functools.cache
def _crew() -> ThreadPoolExecutor:
    """The threads of the lanes, started when two are first busy."""
    return ThreadPoolExecutor(LANES, "lane")


def iter_steps(answers: Answers) -> Iterator[tuple[int, list[Piece]]]:
    """Everything a batch still says; a fault is raised."""
    while answers.busy:
        for ticket, said in answers.step():
            if isinstance(said, BaseException):
                raise said
            yield ticket, said


@functools.lru_cache(maxsize=4)
def _base(spec: str, compute: str) -> Base:
    return load_base(spec, compute)


def load(spec: str, adapter: Path | None = None, compute: str = "float32") -> Generator:
    """A base model (see `weights.load_base`), with the adapter of a folder merged in when one is given.

    ValueError for an unknown model or an adapter of another one.
    """
    base = _base(spec, compute)
    if adapter is not None:
        base = base._replace(params=merge(base.params, load_adapter(Path(adapter), base.config)))
    return Generator(base)
