"""The engine as the server sees it, and the one thread that runs it.

JAX is imported when a model is first needed: a server that only answers lists never pays for it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections import OrderedDict, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from localfireworks.answering import Answers, Generator, Stream, answers_of
from localfireworks.engine.asking import Asked, Piece, Refused, Said, attempt, is_last
from localfireworks.errors import InferenceError
from localfireworks.inspection import Inspection, inspect

Key = tuple[str, Path | None]  # stand-in or folder of a base model, LoRA adapter folder

log = logging.getLogger("localfireworks")


class Engine(Protocol):
    """Loads models and counts tokens. Called from worker threads."""

    def load(self, standin: str, adapter: Path | None) -> Generator: ...

    def count_tokens(self, source: Path | Iterable[dict[str, Any]]) -> int: ...


@dataclass(frozen=True)
class JaxEngine:
    """The real engine. `cache` keeps compiled programs between starts, `compute` is the precision of matrix
    products."""

    cache: Path
    compute: str = "float32"

    def load(self, standin: str, adapter: Path | None) -> Generator:
        from localfireworks.engine.runtime import configure

        configure(self.cache)  # before JAX is imported
        from localfireworks.engine.inference import load

        return load(standin, adapter, self.compute)

    def count_tokens(self, source: Path | Iterable[dict[str, Any]]) -> int:
        from localfireworks.engine.tokens import count_tokens

        return count_tokens(source)


class Backend:
    """Loaded models, the least recently used dropped first, and the thread that generates with them."""

    def __init__(self, engine: Engine, keep: int) -> None:
        self._engine, self._keep = engine, keep
        self._loaded: OrderedDict[Key, Generator] = OrderedDict()
        self._batches: dict[Key, Answers] = {}
        self._streams: defaultdict[Key, dict[int, Stream]] = defaultdict(dict)  # by ticket
        self._tickets = itertools.count()
        self._closing = threading.Event()
        self._loads: dict[Key, Future[None]] = {}
        self._thread = ThreadPoolExecutor(1, "generation")
        self._files = ThreadPoolExecutor(1, "files")  # the tokenizer is not for several threads at once

    def close(self) -> None:
        """End the threads; a running generation stops at its next piece."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._files.shutdown(wait=True, cancel_futures=True)
        for streams in self._streams.values():
            for stream in streams.values():
                stream.give([])
        self._streams.clear()

    async def inspect(self, paths: Sequence[Path]) -> Inspection:
        """What a dataset's files hold; counted beside the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._files, inspect, paths, self._engine.count_tokens)

    def load(self, key: Key) -> Future[None]:
        """Have the model loaded; the future tells when, or why not. Asking again asks after the same load."""
        known = self._loads.get(key)
        if known is None or (known.done() and key not in self._loaded):
            known = self._loads[key] = self._thread.submit(self._load_only, key)
        return known

    def unload(self, key: Key) -> None:
        """Forget the model once the running generation is over."""
        self._loads.pop(key, None)
        self._thread.submit(self._loaded.pop, key, None)

    async def call(self, key: Key, work: Callable[[Generator], Any]) -> Any:
        """Run something with the model in the generation thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: work(self._get(key)))

    async def stream(self, key: Key, asked: Asked) -> AsyncGenerator[Piece, None]:
        """Pieces of an answer as they are written, together with those of others; when the caller stops, so
        does the writing."""
        stream, ticket = Stream(asyncio.get_running_loop(), asyncio.Queue()), next(self._tickets)
        self._thread.submit(self._admit, key, ticket, asked, stream)
        try:
            async for piece in stream.pieces():
                yield piece
        finally:
            if not stream.over:
                with suppress(RuntimeError):  # the thread has ended
                    self._thread.submit(self._drop, key, ticket)

    def _admit(self, key: Key, ticket: int, asked: Asked, stream: Stream) -> None:
        fault = attempt(lambda: self._batch(key).add(ticket, asked))
        if isinstance(fault, Refused):
            stream.give(InferenceError(400, "INVALID_ARGUMENT", str(fault)))
        elif fault is not None:
            stream.give(fault)
        else:
            self._streams[key][ticket] = stream

    def _batch(self, key: Key) -> Answers:
        """The answers that a model is writing; begun when there are none."""
        if key not in self._batches:
            self._batches[key] = answers_of(self._get(key))
            self._thread.submit(self._write, key)
        return self._batches[key]

    def _drop(self, key: Key, ticket: int) -> None:
        self._streams[key].pop(ticket, None)
        if (batch := self._batches.get(key)) is not None:
            batch.drop(ticket)

    def _write(self, key: Key) -> None:
        """One step of a model's answers; the next one waits behind what came in meanwhile."""
        batch = self._batches[key]
        written = attempt(batch.step)
        if isinstance(written, Exception):
            log.error("All answers of %s broke off", key[0], exc_info=written)
            self._end(key, written)
            return
        for ticket, said in written:
            self._give(key, ticket, said)
        if self._closing.is_set():
            del self._batches[key]
        elif not batch.busy:
            self._end(key, RuntimeError("the model said no end of this answer"))
        else:
            with suppress(RuntimeError):  # the thread is being ended
                self._thread.submit(self._write, key)

    def _end(self, key: Key, fault: Exception) -> None:
        """Forget the batch; nobody is left waiting for it, whichever tickets it still knows."""
        del self._batches[key]
        for stream in self._streams.pop(key, {}).values():
            stream.give(fault)

    def _give(self, key: Key, ticket: int, said: Said) -> None:
        stream = self._streams[key].get(ticket)
        if stream is not None:
            stream.give(said)
            if is_last(said):
                del self._streams[key][ticket]

    def _load_only(self, key: Key) -> None:
        self._get(key)

    def _get(self, key: Key) -> Generator:
        if key not in self._loaded:
            self._loaded[key] = self._engine.load(*key)
        self._loaded.move_to_end(key)
        while len(self._loaded) > self._keep:
            self._loaded.popitem(last=False)
        return self._loaded[key]
