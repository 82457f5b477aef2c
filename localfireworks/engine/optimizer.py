"""AdamW (arXiv:1711.05101) on gradients summed over batches, and the learning rate a person means.

People write learning rates for models thousands wide: 1e-4 is typical for LoRA. Under Adam the best rate
falls with the width (muP, arXiv:2203.03466), so a stand-in 96 to 256 wide needs a larger one. `scaled_rate`
multiplies by REFERENCE_WIDTH / hidden_size; docs/local-engine.md has the measurement. Metrics show the
person's own number.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from localfireworks.engine.config import ModelConfig
from localfireworks.engine.model import Array, Tree, forward, token_losses

REFERENCE_WIDTH = 4096
OUTER_FACTOR = 4.0  # the matrix that starts at zero learns faster (LoRA+, arXiv:2402.12354)
TRANSFORM = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b1=0.9, b2=0.98, eps=1e-8))


def scaled_rate(learning_rate: float, config: ModelConfig) -> float:
    """The rate used inside for a rate meant for a model REFERENCE_WIDTH wide."""
    return learning_rate * REFERENCE_WIDTH / config.hidden_size


def with_scale(adapter: Tree, scale: Array) -> Tree:
    """The trained matrices of an adapter together with its fixed scale [L]."""
    return {name: {**part, "scale": scale} for name, part in adapter.items()}


def summed_loss(params: Tree, lora: Tree | None, config: ModelConfig, batch: Any) -> Array:
    """Weighted sum of cross-entropies of a batch, in nats."""
    hidden = forward(params, config, batch.tokens, batch.positions, batch.segments, lora)
    return jnp.sum(
        token_losses(params, hidden, batch.targets.reshape(-1), config) * batch.weights.reshape(-1)
    )


def lora_loss(adapter: Tree, frozen: tuple[Tree, Array], config: ModelConfig, batch: Any) -> Array:
    params, scale = frozen
    return summed_loss(params, with_scale(adapter, scale), config, batch)


def full_loss(params: Tree, frozen: None, config: ModelConfig, batch: Any) -> Array:
    return summed_loss(params, frozen, config, batch)


Sums = tuple[Any, Array]
Loss = Callable[..., Array]  # (trained, frozen, config, batch) -> a sum, or several; the first is minimized


def empty_sums(trained: Tree, shape: tuple[int, ...] = ()) -> Sums:
    """Gradients and measured sums of no batch."""
    return jax.tree.map(jnp.zeros_like, trained), jnp.zeros(shape)


@functools.partial(jax.jit, static_argnames=("config", "loss"), donate_argnames="sums")
def accumulate(sums: Sums, trained: Tree, frozen: Any, batch: Any, config: ModelConfig, loss: Loss) -> Sums:
    """Add the gradients and what `loss` measures of one batch."""

    def minimized(trained: Tree) -> tuple[Array, Array]:
        measured = loss(trained, frozen, config, batch)
        return jnp.ravel(measured)[0], measured

    gradients, measured = jax.grad(minimized, has_aux=True)(trained)
    return jax.tree.map(jnp.add, sums[0], gradients), sums[1] + measured


@functools.partial(jax.jit, donate_argnames=("trained", "state"))
def update(trained: Tree, state: Any, gradients: Tree, weight: Array, rate: Array, decay: Array) -> Any:
    """One AdamW step with gradients / weight, clipped to norm 1; gives (trained, state, gradient norm).

    The matrices B of an adapter take steps OUTER_FACTOR times as long.
    """
    gradients = jax.tree.map(lambda each: each / weight, gradients)
    steps, state = TRANSFORM.update(gradients, state)

    def moved(path: Any, value: Array, step: Array) -> Array:
        return value - rate * (OUTER_FACTOR if path[-1].key == "b" else 1.0) * (step + decay * value)

    trained = jax.tree_util.tree_map_with_path(moved, trained, steps)
    norm = jnp.sqrt(sum(jnp.vdot(each, each) for each in jax.tree.leaves(gradients)))
    return trained, state, norm
