"""Answers by a base model, plain or with a LoRA adapter merged in, one or many at a time.

`load("small", Path("adapter")).open()` is a batch that answers are added to; `generate` asks for a single one
and yields one `Piece` a token. One thread at a time is meant; it may be any thread.
"""

from __future__ import annotations

import functools
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
    attempt,
    check_bias,
    is_last,
)
from localfireworks.engine.batch import Batch, Pace  # noqa: E402
from localfireworks.engine.constrain import Grammars  # noqa: E402
from localfireworks.engine.decoding import for_decoding, nothing, read, told  # noqa: E402
from localfireworks.engine.lora import load_adapter, merge  # noqa: E402
from localfireworks.engine.prefixes import Prefixes  # noqa: E402
from localfireworks.engine.reading import Part, lay_out, width_of  # noqa: E402
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
        self.pace, self.prefixes = Pace(), Prefixes(nothing(self.config))

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
        part = Part(np.asarray(prompt, np.int32), 0)
        one = lay_out([part], [[0]], 1, width_of(len(prompt), self.context_length))
        past = self.prefixes.none.past
        known = read(self.params, past, one.tokens, one.positions, one.segments, one.shared, self.config)
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
    cores than one batch whose every product is divided between them, and neither waits for the other. On a
    GPU there is one."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        lanes = LANES if jax.default_backend() == "cpu" else 1
        self._lanes = [self._lane() for _ in range(lanes)]
        self._running: dict[int, Future[list[tuple[int, Said]]]] = {}  # by the place of a lane
        self._later: list[list[Callable[[Batch], None]]] = [[] for _ in self._lanes]  # what its step delays
        self._lane_of: dict[int, int] = {}  # by ticket

    def _lane(self) -> Batch:
        generator = self._generator
        return Batch(
            generator.params,
            generator.config,
            generator.renderer.stop_ids,
            generator.pace,
            generator.prefixes,
        )

    @property
    def busy(self) -> bool:
        return bool(self._lane_of)

    def tickets(self) -> list[int]:
        return list(self._lane_of)

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
        row = Row(ticket, asked, prompt, limit, generator.table, constraint)
        busy = Counter(self._lane_of.values())
        place = self._lane_of[ticket] = min(range(len(self._lanes)), key=lambda each: busy[each])
        self._at_rest(place, lambda lane: lane.add(row))

    def drop(self, ticket: int) -> None:
        """Forget a request; nothing more is said of it."""
        if (place := self._lane_of.pop(ticket, None)) is not None:
            self._at_rest(place, lambda lane: lane.drop(ticket))

    def _at_rest(self, place: int, work: Callable[[Batch], None]) -> None:
        """Change a lane once its step is over."""
        if place in self._running:
            self._later[place].append(work)
        else:
            work(self._lanes[place])

    def step(self) -> list[tuple[int, Said]]:
        """Some further tokens, of the lanes that are the first to have some; pieces by ticket. A fault ends
        the answers of its lane alone."""
        idle = [place for place in sorted({*self._lane_of.values()}) if place not in self._running]
        if len(idle) == 1 and not self._running:
            return self._kept(self._step(idle[0]))
        self._running |= {place: _crew().submit(self._step, place) for place in idle}
        wait(self._running.values(), return_when=FIRST_COMPLETED)
        over = [place for place, step in self._running.items() if step.done()]
        said = [each for place in over for each in self._running.pop(place).result()]
        for place in over:
            for work in self._later[place]:
                work(self._lanes[place])
            self._later[place].clear()
        return self._kept(said)

    def _kept(self, said: Sequence[tuple[int, Said]]) -> list[tuple[int, Said]]:
        """What belongs to somebody who still waits for it."""
        kept = [each for each in said if each[0] in self._lane_of]
        for ticket, each in kept:
            if is_last(each):
                del self._lane_of[ticket]
        return kept

    def _step(self, place: int) -> list[tuple[int, Said]]:
        lane = self._lanes[place]
        asking = lane.tickets()  # before the step: afterwards some may be neither waiting nor in a row
        said = attempt(lane.step)
        if not isinstance(said, Exception):
            return list(said)
        log.error("A batch of %d answers broke off", len(asking), exc_info=said)
        self._lanes[place] = self._lane()  # what the old one holds may be half written
        return [(ticket, said) for ticket in asking]


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
