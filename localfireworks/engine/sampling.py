"""Drawing one token a row: each row has its own temperature, limits and seed, and what it draws does not
depend on the rows beside it."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from localfireworks.engine.model import MASKED, Array

BITS = 31  # of a float32 that is not negative, its order the same as that of its bits


class Draws(NamedTuple):
    """How the rows draw, each [B]. `done` is the number of tokens written before (it seeds the next draw),
    `left` how many may still come; 0 for a row that has nothing to write."""

    temperature: Any
    top_p: Any
    top_k: Any
    min_p: Any
    seed: Any
    done: Any
    left: Any


class Weights(NamedTuple):
    """Changes of the scores [B, V]: positive ones are divided by `factor`, negative ones multiplied, then
    `bias` is added."""

    factor: Any
    bias: Any


def weigh(scores: Array, weights: Weights | None) -> Array:
    if weights is None:
        return scores
    changed: Array = jnp.where(scores > 0, scores / weights.factor, scores * weights.factor) + weights.bias
    return changed


def best(scores: Array) -> Array:
    """The first of the highest scores, as argmax; two plain reductions, which the CPU has fast code for."""
    size = scores.shape[-1]
    top = scores >= scores.max(axis=-1, keepdims=True)
    return jnp.min(jnp.where(top, jnp.arange(size, dtype=jnp.int32), size - 1), axis=-1)


def least(shares: Array, amounts: Array, goal: Array) -> Array:
    """The highest share t of each row such that tokens with a share of t and more have `amounts` of `goal`
    [B] together; found bit by bit, without sorting."""
    order = jax.lax.bitcast_convert_type(shares, jnp.int32)

    def one(step: Array, found: Array) -> Array:
        tried = found | (1 << (BITS - 1 - step))
        enough = jnp.where(order >= tried[:, None], amounts, 0.0).sum(axis=-1) >= goal
        return jnp.where(enough, tried, found)

    bits = jax.lax.fori_loop(0, BITS, one, jnp.zeros(len(shares), jnp.int32))
    return jax.lax.bitcast_convert_type(bits, jnp.float32)


def limited(heated: Array, draws: Draws) -> Array:
    """Scores with what top-k, top-p (arXiv:1904.09751) and min-p (arXiv:2407.01082) leave out masked."""
    size = heated.shape[-1]
    shares = jax.nn.softmax(heated, axis=-1)
    count = jnp.where(draws.top_k > 0, draws.top_k, size).astype(jnp.float32)
    floor = least(shares, jnp.ones_like(shares), jnp.minimum(count, size))
    nucleus = least(shares, shares, jnp.maximum(draws.top_p, 1e-9))
    floor = jnp.maximum(floor, jnp.where(draws.top_p < 1, nucleus, 0.0))
    floor = jnp.maximum(floor, draws.min_p * shares.max(axis=-1))
    return jnp.where(shares >= floor[:, None], heated, MASKED)


def choose(scores: Array, draws: Draws, step: Array) -> Array:
    """One token [B] from scores [B, V]; `step` counts from `draws.done`."""

    def draw() -> Array:
        heated = scores / jnp.maximum(draws.temperature, 1e-4)[:, None]
        bounded = jnp.any((draws.top_k > 0) | (draws.top_p < 1) | (draws.min_p > 0))
        heated = jax.lax.cond(bounded, lambda: limited(heated, draws), lambda: heated)

        def noise(seed: Array, place: Array) -> Array:
            return jax.random.gumbel(jax.random.fold_in(jax.random.key(seed), place), scores.shape[-1:])

        drawn = best(heated + jax.vmap(noise)(draws.seed, draws.done + step))
        return jnp.where(draws.temperature > 0, drawn, best(scores))

    chosen: Array = jax.lax.cond(jnp.any(draws.temperature > 0), draw, lambda: best(scores))
    return chosen
