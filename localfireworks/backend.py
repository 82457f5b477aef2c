"""The engine as the server sees it, and the one thread that runs it.

JAX is imported when a model is first needed: a server that only answers lists never pays for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from localfireworks.inspection import Inspection, inspect

Messages = Sequence[dict[str, Any]]
Key = tuple[str, Path | None]  # stand-in, LoRA adapter folder
END = object()


class Piece(Protocol):
    """A bit of generated text; `finish_reason` is set on the last one."""

    @property
    def text(self) -> str: ...
    @property
    def token_id(self) -> int: ...
    @property
    def logprob(self) -> float: ...
    @property
    def finish_reason(self) -> str | None: ...


class Generator(Protocol):
    """A loaded model. Lengths in tokens."""

    @property
    def context_length(self) -> int: ...

    def generate(
        self,
        messages: Messages,
        *,
        max_tokens: int,
        temperature: float,
        top_p: float,
        top_k: int,
        seed: int,
        stop: Sequence[str],
        tools: Sequence[Any] | None,
    ) -> Iterator[Piece]: ...

    def count_prompt_tokens(self, messages: Messages, tools: Sequence[Any] | None) -> int: ...


class Engine(Protocol):
    """Loads models and counts tokens. Called from worker threads."""

    def load(self, standin: str, adapter: Path | None) -> Generator: ...

    def count_tokens(self, source: Path | Iterable[dict[str, Any]]) -> int: ...


@dataclass(frozen=True)
class JaxEngine:
    """The real engine. `cache` keeps compiled programs between starts."""

    cache: Path

    def load(self, standin: str, adapter: Path | None) -> Generator:
        from localfireworks.engine.runtime import configure

        configure(self.cache)  # before JAX is imported
        from localfireworks.engine.inference import load

        return load(standin, adapter)

    def count_tokens(self, source: Path | Iterable[dict[str, Any]]) -> int:
        from localfireworks.engine.tokens import count_tokens

        return count_tokens(source)


class Backend:
    """Loaded models, the least recently used dropped first, and the thread that generates with them."""

    def __init__(self, engine: Engine, keep: int) -> None:
        self._engine, self._keep = engine, keep
        self._loaded: OrderedDict[Key, Generator] = OrderedDict()
        self._closing = threading.Event()
        self._loads: dict[Key, Future[None]] = {}
        self._thread = ThreadPoolExecutor(1, "generation")
        self._files = ThreadPoolExecutor(1, "files")  # the tokenizer is not for several threads at once

    def close(self) -> None:
        """End the threads; a running generation stops at its next piece."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._files.shutdown(wait=True, cancel_futures=True)

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

    async def stream(self, key: Key, work: Callable[[Generator], Iterator[Piece]]) -> AsyncIterator[Piece]:
        """Pieces as they are generated; generation stops when the caller does."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Any] = asyncio.Queue()
        stopped = threading.Event()

        def produce() -> None:
            for piece in work(self._get(key)):
                loop.call_soon_threadsafe(queue.put_nowait, piece)
                if stopped.is_set() or self._closing.is_set():
                    return

        job = loop.run_in_executor(self._thread, produce)
        job.add_done_callback(lambda _: queue.put_nowait(END))
        try:
            while (piece := await queue.get()) is not END:
                yield piece
            await job
        finally:
            stopped.set()

    def _load_only(self, key: Key) -> None:
        self._get(key)

    def _get(self, key: Key) -> Generator:
        if key not in self._loaded:
            self._loaded[key] = self._engine.load(*key)
        self._loaded.move_to_end(key)
        while len(self._loaded) > self._keep:
            self._loaded.popitem(last=False)
        return self._loaded[key]
