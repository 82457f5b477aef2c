"""Gradient steps and evaluation passes on one adapter, over packed rows."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from localfireworks.engine.chat import Rendered
from localfireworks.engine.config import ModelConfig
from localfireworks.engine.optimizer import (
    TRANSFORM,
    accumulate,
    empty_sums,
    lora_loss,
    scaled_rate,
    update,
)
from localfireworks.engine.packing import pack

Tree = dict[str, Any]


class Step(NamedTuple):
    """What one step did: token mean of the cross-entropy in nats before the update, gradient norm,
    seconds."""

    loss: float
    gradient_norm: float
    gradient_seconds: float
    update_seconds: float


@functools.partial(jax.jit, static_argnames="config")
def loss_of(trained: Tree, frozen: Any, batch: Any, config: ModelConfig) -> jax.Array:
    return lora_loss(trained, frozen, config, batch)


class Trainer:
    """Holds the frozen base, the trained matrices and the optimizer's state. `length` is the row length in
    tokens."""

    def __init__(self, params: Tree, config: ModelConfig, adapter: Tree, length: int) -> None:
        self.config, self.length = config, length
        self.frozen = jax.device_put((params, adapter["q"]["scale"]))
        matrices = {name: {"a": part["a"], "b": part["b"]} for name, part in adapter.items()}
        self.trained = jax.device_put(matrices)
        self.moments = TRANSFORM.init(self.trained)

    def step(self, rows: Sequence[Rendered], learning_rate: float, weight_decay: float) -> Step:
        """One AdamW step on the token mean over `rows`, at the person's learning rate (scaled inside)."""
        started = time.monotonic()
        sums = empty_sums(self.trained)
        weight = float(sum(row.weights[1:].sum() for row in rows)) or 1.0
        for batch in pack(rows, self.length):
            sums = accumulate(sums, self.trained, self.frozen, batch, self.config, lora_loss)
        loss = float(sums[1]) / weight
        between = time.monotonic()
        rate = jnp.float32(scaled_rate(learning_rate, self.config))
        self.trained, self.moments, norm = update(
            self.trained, self.moments, sums[0], jnp.float32(weight), rate, jnp.float32(weight_decay)
        )
        return Step(loss, float(norm), between - started, time.monotonic() - between)

    def evaluate(self, rows: Sequence[Rendered]) -> float:
        """Token mean of the cross-entropy over all of `rows`."""
        total = sum(
            float(loss_of(self.trained, self.frozen, batch, self.config)) for batch in pack(rows, self.length)
        )
        return total / (float(sum(row.weights[1:].sum() for row in rows)) or 1.0)

    def adapter(self) -> Tree:
        """The adapter as it is now, as NumPy arrays."""
        matrices, scale = jax.device_get((self.trained, self.frozen[1]))
        return {name: {**part, "scale": np.asarray(scale)} for name, part in matrices.items()}

    def state(self) -> Any:
        return self.trained, self.moments

    def restore(self, state: Any) -> None:
        self.trained, self.moments = jax.device_put(state)
