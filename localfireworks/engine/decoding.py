"""Decoding of many answers at once with a key-value cache, in static shapes.

`read` takes prompts, several in a row where they fit; `place` puts what was read into free rows of a state;
`write` adds up to CHUNK tokens to every row; `resize` gives a state other rows or a wider cache. The layers
are written out one by one: a loop over them would copy the cache in every step.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from localfireworks.engine.asking import TOP
from localfireworks.engine.config import ModelConfig
from localfireworks.engine.model import (
    LINEAR,
    MASKED,
    Array,
    Tree,
    block,
    feed_forward,
    heads,
    logits,
    project,
    rms_norm,
    rotary,
    visible,
)
from localfireworks.engine.sampling import Draws, Weights, choose, weigh

CHUNK = 16
Caches = tuple[Array, ...]


class Read(NamedTuple):
    """Prompts as read: final hidden states [N, D], and keys and values of each layer [N, K, d]."""

    hidden: Array
    keys: Caches
    values: Caches


class State(NamedTuple):
    """Generation of B answers: scores [B, V] of the next token, its position [B], and for each layer the keys
    and values [B, K, S, d] of what came before."""

    scores: Array
    position: Array
    keys: Caches
    values: Caches


class Written(NamedTuple):
    """Tokens [B, CHUNK] with their log probabilities, how many each row has [B], steps taken, and with them
    the TOP likeliest ids and log probabilities [B, CHUNK, TOP] where they were asked for."""

    tokens: Any
    chances: Any
    counts: Any
    steps: Any
    top: tuple[Any, Any] | None


def for_decoding(params: Tree, config: ModelConfig) -> Tree:
    """Weights with a tree a layer; with bfloat16, matrices are rounded once and the output table is laid out
    as the product wants it."""
    rough = config.compute == "bfloat16"

    def kept(name: str, value: Any) -> Array:
        return jnp.asarray(value, jnp.bfloat16) if rough and name in LINEAR else jnp.asarray(value)

    layers = tuple(
        {name: kept(name, stacked[index]) for name, stacked in params["layers"].items()}
        for index in range(config.num_hidden_layers)
    )
    made = {"embed": jnp.asarray(params["embed"]), "norm": jnp.asarray(params["norm"]), "layers": layers}
    if rough:
        head = params["head"] if "head" in params else np.ascontiguousarray(np.asarray(params["embed"]).T)
        return made | {"head": jnp.asarray(head, jnp.bfloat16)}
    return made | ({"head": jnp.asarray(params["head"])} if "head" in params else {})


@functools.partial(jax.jit, static_argnames="config")
def read(params: Tree, tokens: Array, positions: Array, segments: Array, config: ModelConfig) -> Read:
    """Read rows [R, W] of prompts; segments tell those of a row apart (0 is padding)."""
    mask, rope = visible(segments), rotary(config, positions)
    x, keys, values = params["embed"][tokens.reshape(-1)], [], []
    for layer in params["layers"]:
        x, (k, v) = block(x, layer, None, config, rope, mask)
        keys.append(k.reshape(-1, *k.shape[2:]))
        values.append(v.reshape(-1, *v.shape[2:]))
    return Read(rms_norm(x, params["norm"], config.rms_norm_eps), tuple(keys), tuple(values))


@functools.partial(jax.jit, static_argnames="config")
def told(params: Tree, hidden: Array, following: Array, config: ModelConfig) -> tuple[Array, Array, Array]:
    """Log probability of each `following` token [N] after hidden states [N, D], and the TOP likeliest
    there."""
    table = jax.nn.log_softmax(logits(params, hidden, config), axis=-1)
    best, ids = jax.lax.top_k(table, min(TOP, table.shape[-1]))
    return jnp.take_along_axis(table, following[:, None], axis=-1)[:, 0], ids, best


@functools.partial(jax.jit, static_argnames="config", donate_argnames="state")
def place(
    params: Tree,
    state: State | None,
    prompts: Read,
    source: Array,
    lengths: Array,
    rows: Array,
    config: ModelConfig,
) -> State:
    """Put prompts into `rows` [F] of a state, or make them a state of their own. `source` [F, S] says where
    in what was read each position of a prompt is; `lengths` [F] how long it is. Rows out of range are left
    out."""
    last = jnp.take_along_axis(source, (lengths - 1)[:, None], axis=1)[:, 0]
    scores = logits(params, prompts.hidden[last], config)
    keys, values = (
        tuple(each[source].swapaxes(1, 2) for each in part) for part in (prompts.keys, prompts.values)
    )
    fresh = State(scores, lengths, keys, values)
    if state is None:
        return fresh
    merged: State = jax.tree.map(lambda old, new: old.at[rows].set(new, mode="drop"), state, fresh)
    return merged


@functools.partial(jax.jit, static_argnames="size")
def resize(state: State, rows: Array, size: int) -> State:
    """The `rows` [B'] of a state, with caches for `size` positions."""

    def sized(cache: Array) -> Array:
        taken, width = cache[rows], cache.shape[2]
        return (
            taken[:, :, :size]
            if size <= width
            else jnp.pad(taken, ((0, 0), (0, 0), (0, size - width), (0, 0)))
        )

    keys, values = (tuple(sized(each) for each in part) for part in (state.keys, state.values))
    return State(state.scores[rows], state.position[rows], keys, values)


def look_back(q: Array, keys: Array, values: Array, mask: Array) -> Array:
    """Attention of one query a row: q [B, 1, H, d] over caches [B, K, S, d], mask [B, S] -> [B, H*d]."""
    batch, _, count, size = q.shape
    grouped = (q * size**-0.5).reshape(batch, keys.shape[1], -1, size)
    scores = jnp.einsum("bkgd,bksd->bkgs", grouped, keys)
    weights = jax.nn.softmax(jnp.where(mask[:, None, None], scores, MASKED), axis=-1)
    mixed: Array = jnp.einsum("bkgs,bksd->bkgd", weights, values).reshape(batch, count * size)
    return mixed


def extend(params: Tree, state: State, tokens: Array, alive: Array, config: ModelConfig) -> State:
    """Add one token [B] to each row; a row that is not `alive` stays at its position."""
    rows, position, eps = jnp.arange(tokens.shape[0]), state.position, config.rms_norm_eps
    rope = rotary(config, position[:, None])
    mask = jnp.arange(state.keys[0].shape[2])[None] <= position[:, None]
    x, keys, values = params["embed"][tokens], [], []
    for layer, past_keys, past_values in zip(params["layers"], state.keys, state.values, strict=True):
        q, k, v = heads(rms_norm(x, layer["input_norm"], eps), layer, None, config, rope)
        keys.append(past_keys.at[rows, :, position].set(k[:, 0], mode="drop"))
        values.append(past_values.at[rows, :, position].set(v[:, 0], mode="drop"))
        x = x + project(look_back(q, keys[-1], values[-1], mask), layer, None, "o", config)
        x = x + feed_forward(rms_norm(x, layer["post_norm"], eps), layer, None, config)
    scores = logits(params, rms_norm(x, params["norm"], eps), config)
    return State(scores, position + alive, tuple(keys), tuple(values))


@functools.partial(jax.jit, static_argnames=("config", "stop_ids", "top"), donate_argnames="state")
def write(
    params: Tree,
    state: State,
    draws: Draws,
    weights: Weights | None,
    limit: Array,
    patience: Array,
    config: ModelConfig,
    stop_ids: tuple[int, ...],
    top: bool,
) -> tuple[State, Written]:
    """Up to `limit` <= CHUNK further tokens a row.

    A row ends with one of `stop_ids` or when nothing is left to it; the chunk ends early once `patience` rows
    have nothing to write. Log probabilities are those of the model, whatever the sampling.
    """
    batch, size = state.scores.shape
    steps = jnp.zeros((), jnp.int32)
    blank = jnp.zeros((batch, CHUNK), jnp.int32), jnp.zeros((batch, CHUNK))
    tops = (jnp.zeros((batch, CHUNK, min(TOP, size)), jnp.int32), jnp.zeros((batch, CHUNK, min(TOP, size))))
    written = Written(*blank, jnp.zeros(batch, jnp.int32), steps, tops if top else None)

    def going(carry: tuple[State, Written, Array]) -> Array:
        idle: Array = jnp.sum(~carry[2])
        more: Array = (carry[1].steps < limit) & (idle < patience)
        return more

    def one(carry: tuple[State, Written, Array]) -> tuple[State, Written, Array]:
        now, so_far, alive = carry
        step = so_far.steps
        token = choose(weigh(now.scores, weights), draws, step)
        chosen = jnp.take_along_axis(now.scores, token[:, None], axis=-1)[:, 0]
        total = jax.nn.logsumexp(now.scores, axis=-1)
        counts = so_far.counts + alive
        further = alive & ~jnp.isin(token, jnp.asarray(stop_ids)) & (counts < draws.left)
        kept = so_far.top
        if kept is not None:
            values, ids = jax.lax.top_k(now.scores, kept[0].shape[-1])
            kept = kept[0].at[:, step].set(ids), kept[1].at[:, step].set(values - total[:, None])
        following = Written(
            so_far.tokens.at[:, step].set(token),
            so_far.chances.at[:, step].set(chosen - total),
            counts,
            step + 1,
            kept,
        )
        return extend(params, now, token, alive, config), following, further

    state, written, _ = jax.lax.while_loop(going, one, (state, written, draws.left > 0))
    return state, written
