"""Gradient steps and measurements on one adapter, for any loss."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from localfireworks.engine.config import ModelConfig
from localfireworks.engine.optimizer import TRANSFORM, Loss, accumulate, empty_sums, scaled_rate, update

Tree = dict[str, Any]


class Step(NamedTuple):
    """What one step did: means of what the loss measures, before the update; gradient norm; seconds."""

    means: list[float]
    gradient_norm: float
    gradient_seconds: float
    update_seconds: float


@functools.partial(jax.jit, static_argnames=("config", "loss"))
def measured(trained: Tree, frozen: Any, batch: Any, config: ModelConfig, loss: Loss) -> jax.Array:
    return loss(trained, frozen, config, batch)


class Trainer:
    """Holds the frozen base, the trained matrices and the optimizer's state."""

    def __init__(self, params: Tree, config: ModelConfig, adapter: Tree) -> None:
        self.config = config
        self.frozen = jax.device_put((params, adapter["q"]["scale"]))
        matrices = {name: {"a": part["a"], "b": part["b"]} for name, part in adapter.items()}
        self.trained = jax.device_put(matrices)
        self.moments = TRANSFORM.init(self.trained)

    def step(
        self, batches: Iterable[Any], loss: Loss, values: int, weight: float, rates: tuple[float, float]
    ) -> Step:
        """One AdamW step on the sums over `batches` divided by `weight`.

        `loss` measures `values` sums; `rates` are the person's learning rate (scaled inside) and the weight
        decay.
        """
        started = time.monotonic()
        sums = empty_sums(self.trained, (values,))
        for batch in batches:
            sums = accumulate(sums, self.trained, self.frozen, batch, self.config, loss)
        means = (np.asarray(sums[1]) / weight).tolist()
        between = time.monotonic()
        rate = jnp.float32(scaled_rate(rates[0], self.config))
        self.trained, self.moments, norm = update(
            self.trained, self.moments, sums[0], jnp.float32(weight), rate, jnp.float32(rates[1])
        )
        return Step(means, float(norm), between - started, time.monotonic() - between)

    def measure(self, batches: Iterable[Any], loss: Loss, weight: float) -> list[float]:
        """Means of what `loss` measures, without a step."""
        totals = [self.look(batch, loss) for batch in batches]
        return [float(total) / weight for total in np.atleast_1d(np.sum(totals, axis=0))]

    def look(self, batch: Any, loss: Loss) -> np.ndarray:
        """What `loss` gives for one batch."""
        return np.asarray(measured(self.trained, self.frozen, batch, self.config, loss))

    def adapter(self) -> Tree:
        """The adapter as it is now, as NumPy arrays."""
        matrices, scale = jax.device_get((self.trained, self.frozen[1]))
        return {name: {**part, "scale": np.asarray(scale)} for name, part in matrices.items()}

    def state(self) -> Any:
        return self.trained, self.moments

    def restore(self, state: Any) -> None:
        self.trained, self.moments = jax.device_put(state)
