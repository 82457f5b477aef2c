"""Decoding with a key-value cache, in static shapes: one program to read a prompt, one to write up to CHUNK
tokens."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from localfireworks.engine.config import ModelConfig
from localfireworks.engine.model import MASKED, Array, Tree, block, logits, rms_norm, rotary, visible

CHUNK = 16


class Sampling(NamedTuple):
    """How a token is drawn. temperature 0 is greedy; top_k 0 and top_p 1 leave all tokens in."""

    temperature: Array | float
    top_p: Array | float
    top_k: Array | int
    seed: Array | int


class State(NamedTuple):
    """Generation of B answers: scores [B, V] of the next token, its position [B], cache [L, B, S, K, d],
    ended [B]."""

    scores: Array
    position: Array
    keys: Array
    values: Array
    ended: Array


@functools.partial(jax.jit, static_argnames=("config", "size"))
def prefill(params: Tree, tokens: Array, lengths: Array, config: ModelConfig, size: int) -> State:
    """Read prompts [B, P], each `lengths` [B] long and padded on the right, into a cache for `size`
    positions."""
    batch, width = tokens.shape
    mask = visible(jnp.ones((batch, width), jnp.int32))
    rope = rotary(config, jnp.broadcast_to(jnp.arange(width), (batch, width)))

    def body(x: Array, layer: Tree) -> tuple[Array, tuple[Array, Array]]:
        return block(x, layer, None, config, rope, mask)

    x, (keys, values) = jax.lax.scan(body, params["embed"][tokens.reshape(-1)], params["layers"])
    last = x.reshape(batch, width, -1)[jnp.arange(batch), lengths - 1]
    room = ((0, 0), (0, 0), (0, size - width), (0, 0), (0, 0))
    scores = logits(params, rms_norm(last, params["norm"], config.rms_norm_eps), config)
    return State(scores, lengths, jnp.pad(keys, room), jnp.pad(values, room), jnp.zeros(batch, bool))


def extend(params: Tree, state: State, tokens: Array, config: ModelConfig) -> State:
    """Add one token [B] to each sequence."""
    rows, position = jnp.arange(tokens.shape[0]), state.position
    rope = rotary(config, position[:, None])
    mask = (jnp.arange(state.keys.shape[2])[None] <= position[:, None])[:, None]

    def body(x: Array, stacked: tuple[Tree, Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        layer, past_keys, past_values = stacked

        def remember(k: Array, v: Array) -> tuple[Array, Array]:
            return past_keys.at[rows, position].set(k[:, 0]), past_values.at[rows, position].set(v[:, 0])

        return block(x, layer, None, config, rope, mask, remember)

    x, (keys, values) = jax.lax.scan(
        body, params["embed"][tokens], (params["layers"], state.keys, state.values)
    )
    scores = logits(params, rms_norm(x, params["norm"], config.rms_norm_eps), config)
    return State(scores, position + 1, keys, values, state.ended)


def choose(scores: Array, sampling: Sampling, step: Array) -> Array:
    """One token [B] from scores [B, V]: the best, or drawn after temperature, top-k and top-p
    (arXiv:1904.09751)."""

    def draw() -> Array:
        heated = scores / jnp.maximum(sampling.temperature, 1e-4)
        ranked = jnp.sort(heated, axis=-1)[:, ::-1]
        shares = jax.nn.softmax(ranked, axis=-1)
        before = jnp.cumsum(shares, axis=-1) - shares
        limit = jnp.where(sampling.top_k > 0, sampling.top_k, scores.shape[-1])
        inside = (before < sampling.top_p) & (jnp.arange(scores.shape[-1]) < limit)
        least = ranked[jnp.arange(len(ranked)), jnp.maximum(inside.sum(axis=-1) - 1, 0)]
        key = jax.random.fold_in(jax.random.key(sampling.seed), step)
        return jax.random.categorical(key, jnp.where(heated >= least[:, None], heated, MASKED), axis=-1)

    heated = jnp.asarray(sampling.temperature) > 0
    chosen: Array = jax.lax.cond(heated, draw, lambda: jnp.argmax(scores, axis=-1))
    return chosen


@functools.partial(jax.jit, static_argnames=("config", "stop_ids"), donate_argnames="state")
def write(
    params: Tree,
    state: State,
    sampling: Sampling,
    done: Array,
    limit: Array,
    config: ModelConfig,
    stop_ids: tuple[int, ...],
) -> tuple[State, Array, Array, Array]:
    """Up to `limit` <= CHUNK further tokens; stops when every sequence has ended.

    `done` is the number of tokens written before (it seeds each draw). Gives the state, tokens [B, CHUNK],
    their log probabilities [B, CHUNK] under the unheated model, and how many steps were taken.
    """
    batch = state.scores.shape[0]

    def unfinished(carry: tuple[Array, State, Array, Array]) -> Array:
        return (carry[0] < limit) & ~jnp.all(carry[1].ended)

    def one(carry: tuple[Array, State, Array, Array]) -> tuple[Array, State, Array, Array]:
        step, now, tokens, chances = carry
        token = choose(now.scores, sampling, done + step)
        chance = jax.nn.log_softmax(now.scores, axis=-1)[jnp.arange(batch), token]
        ended = now.ended | jnp.isin(token, jnp.asarray(stop_ids))
        following = extend(params, now._replace(ended=ended), token, config)
        return step + 1, following, tokens.at[:, step].set(token), chances.at[:, step].set(chance)

    blank = jnp.zeros((batch, CHUNK), jnp.int32), jnp.zeros((batch, CHUNK))
    steps, state, tokens, chances = jax.lax.while_loop(
        unfinished, one, (jnp.zeros((), jnp.int32), state, *blank)
    )
    return state, tokens, chances, steps
