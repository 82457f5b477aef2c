"""Chat completions by a stand-in, plain or with a LoRA adapter merged in.

`load("small", Path("adapter")).generate(messages, max_tokens=64, …)` yields one `Piece` per token. One
generation at a time per process is meant; it may run in any thread.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from localfireworks.engine.runtime import configure

configure()

import jax  # noqa: E402 - its threads are set above
import numpy as np  # noqa: E402

from localfireworks.engine.chat import Renderer  # noqa: E402
from localfireworks.engine.config import ModelConfig  # noqa: E402
from localfireworks.engine.decoding import CHUNK, Sampling, prefill, write  # noqa: E402
from localfireworks.engine.lora import load_adapter, merge  # noqa: E402
from localfireworks.engine.text import Speller  # noqa: E402
from localfireworks.engine.tokens import load_tokenizer  # noqa: E402
from localfireworks.engine.weights import load_standin  # noqa: E402

WIDTHS = (64, 128, 256, 512, 1024)


class PromptTooLong(ValueError):
    """The prompt leaves no room for an answer. Says how long it is and how long it may be."""

    def __init__(self, prompt: int, context: int) -> None:
        super().__init__(
            f"the prompt has {prompt} tokens; this model's context holds {context}, answer included"
        )


@dataclasses.dataclass(frozen=True)
class Piece:
    """One generated token. `text` is what can be shown by now (it may be held back until a character or a
    possible stop string is complete); `logprob` is in nats; `finish_reason` is None until the last piece."""

    text: str
    token_id: int
    logprob: float
    finish_reason: Literal["stop", "length"] | None = None


class Generator:
    """One set of weights ready to answer."""

    def __init__(self, params: dict[str, Any], config: ModelConfig, renderer: Renderer) -> None:
        self.params, self.config, self.renderer = jax.device_put(params), config, renderer

    @property
    def context_length(self) -> int:
        """Tokens of prompt and answer together."""
        return self.config.max_position_embeddings

    def count_prompt_tokens(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[Any] | None = None
    ) -> int:
        """Tokens of the rendered prompt, the opening of the answer included."""
        return len(self.renderer.prompt(messages, tools))

    def generate(
        self,
        messages: Sequence[dict[str, Any]],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        top_p: float = 1.0,
        top_k: int = 0,
        seed: int = 0,
        stop: Sequence[str] = (),
        tools: Sequence[Any] | None = None,
    ) -> Iterator[Piece]:
        """The answer to a conversation, token by token. The same arguments give the same answer.

        `max_tokens` is lowered to what the context leaves. Raises PromptTooLong before the first piece.
        """
        prompt = self.renderer.prompt(messages, tools)
        room = self.context_length - len(prompt)
        if room < 1:
            raise PromptTooLong(len(prompt), self.context_length)
        limit = max(1, min(max_tokens, room))
        sampling = Sampling(float(temperature), float(top_p), int(top_k), int(seed) % 2**31)
        return self._pieces(
            self._tokens(prompt, limit, sampling), Speller(self.renderer.tokenizer, stop), limit
        )

    def _tokens(self, prompt: list[int], limit: int, sampling: Sampling) -> Iterator[tuple[int, float]]:
        """(token, log probability) up to and including the one that ends the answer, at most `limit`."""
        width, size = fitting(len(prompt)), fitting(len(prompt) + limit)
        tokens = np.zeros((1, width), np.int32)
        tokens[0, : len(prompt)] = prompt
        state = prefill(self.params, tokens, np.asarray([len(prompt)], np.int32), self.config, size)
        done = 0
        while done < limit:
            ends, allowed = self.renderer.stop_ids, min(CHUNK, limit - done)
            state, written, chances, steps = write(
                self.params, state, sampling, done, allowed, self.config, ends
            )
            yield from zip(
                np.asarray(written)[0, : int(steps)].tolist(), np.asarray(chances)[0].tolist(), strict=False
            )
            done += int(steps)
            if bool(state.ended[0]):
                return

    def _pieces(self, tokens: Iterator[tuple[int, float]], speller: Speller, limit: int) -> Iterator[Piece]:
        for number, (token, chance) in enumerate(tokens, 1):
            if token in self.renderer.stop_ids:
                yield Piece(speller.rest(), token, chance, "stop")
                return
            text = speller.add(token)
            if speller.stopped:
                yield Piece(text, token, chance, "stop")
                return
            last = number == limit
            yield Piece(text + (speller.rest() if last else ""), token, chance, "length" if last else None)


def fitting(length: int) -> int:
    """The smallest compiled width that holds `length` tokens."""
    return next((width for width in WIDTHS if width >= length), WIDTHS[-1])


@functools.lru_cache(maxsize=4)
def _base(standin: str) -> tuple[dict[str, Any], ModelConfig]:
    return load_standin(standin)


def load(standin: str, adapter: Path | None = None) -> Generator:
    """A stand-in ("small", "medium", "large"), with the adapter of a folder merged in when one is given.

    ValueError for an unknown stand-in or an adapter of another base model.
    """
    params, config = _base(standin)
    if adapter is not None:
        params = merge(params, load_adapter(Path(adapter), config))
    return Generator(params, config, Renderer(load_tokenizer()))
