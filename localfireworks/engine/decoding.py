"""Prompts read and placed for decoding with a key-value cache, in static shapes.

`read` takes prompts, several in a row where they fit, after a beginning that is known already; `known` keeps
a beginning; `place` puts what was read into free rows of a state; `resize` gives a state other rows or a
wider cache. `writing.write` goes on from there. The layers are written out one by one: a loop over them would
copy the cache in every step.
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
    Array,
    Tree,
    block,
    joined,
    logits,
    rms_norm,
    rotary,
    visible,
)

Caches = tuple[Array, ...]


class Past(NamedTuple):
    """A beginning that several answers share: keys and values of each layer [M, K, d]."""

    keys: Caches
    values: Caches

    @property
    def width(self) -> int:
        return int(self.keys[0].shape[0])


class Read(NamedTuple):
    """Prompts as read: final hidden states [N, D], and keys and values of each layer [M + N, K, d], those of
    the beginning before them first."""

    hidden: Array
    keys: Caches
    values: Caches


class State(NamedTuple):
    """Generation of B answers: scores [B, V] of the next token, its position [B], how many positions of the
    shared beginning come before the own ones [B], and for each layer the keys [B, K, d, S] and values
    [B, K, S, d] of the own ones."""

    scores: Array
    position: Array
    shared: Array
    keys: Caches
    values: Caches

    @property
    def width(self) -> int:
        return int(self.values[0].shape[2])


class Places(NamedTuple):
    """Where F prompts come from and go to: the positions [F, S] of their own keys in what was read, that of
    their last token's hidden state [F], their length [F], how much of it is the shared beginning [F], and
    their rows [F]. Rows out of range are left out."""

    source: Any
    last: Any
    length: Any
    shared: Any
    rows: Any


def for_decoding(params: Tree, config: ModelConfig) -> Tree:
    """Weights with a tree a layer, matrices of the same input side by side; with bfloat16, matrices are
    rounded once and the output table is laid out as the product wants it."""
    rough = config.compute == "bfloat16"

    def kept(name: str, value: Any) -> Array:
        matrix = any(part in LINEAR for part in name.split("+"))
        return jnp.asarray(value, jnp.bfloat16 if rough and matrix else jnp.float32)

    stacked = {name: np.asarray(value) for name, value in params["layers"].items()}
    layers = tuple(
        {name: kept(name, value) for name, value in joined({n: v[index] for n, v in stacked.items()}).items()}
        for index in range(config.num_hidden_layers)
    )
    made = {"embed": jnp.asarray(params["embed"]), "norm": jnp.asarray(params["norm"]), "layers": layers}
    if rough:
        head = params["head"] if "head" in params else np.ascontiguousarray(np.asarray(params["embed"]).T)
        return made | {"head": jnp.asarray(head, jnp.bfloat16)}
    return made | ({"head": jnp.asarray(params["head"])} if "head" in params else {})


def nothing(config: ModelConfig) -> Past:
    """The beginning of answers that share none."""
    none = tuple(
        jnp.zeros((0, config.num_key_value_heads, config.head_dim)) for _ in range(config.num_hidden_layers)
    )
    return Past(none, none)


@functools.partial(jax.jit, static_argnames="config")
def read(
    params: Tree,
    past: Past,
    tokens: Array,
    positions: Array,
    segments: Array,
    shared: Array,
    config: ModelConfig,
) -> Read:
    """Read rows [R, W] of prompts; segments tell those of a row apart (0 is padding), `shared` [R, W] says
    how many positions of `past` each token sees."""
    rows, width, rope = len(tokens), past.width, rotary(config, positions)
    begun = jnp.arange(width) < shared[..., None]
    mask = jnp.concatenate([begun, visible(segments)], axis=-1)
    keys: list[Array] = []
    values: list[Array] = []
    x = params["embed"][tokens.reshape(-1)]
    for layer, past_keys, past_values in zip(params["layers"], past.keys, past.values, strict=True):

        def after(k: Array, v: Array, before: Any = (past_keys, past_values)) -> tuple[Array, Array]:
            stretched = [jnp.broadcast_to(each, (rows, *each.shape)) for each in before]
            return jnp.concatenate([stretched[0], k], axis=1), jnp.concatenate([stretched[1], v], axis=1)

        x, (k, v) = block(x, layer, None, config, rope, mask, after)
        for into, before, own in ((keys, past_keys, k), (values, past_values, v)):
            into.append(jnp.concatenate([before, own[:, width:].reshape(-1, *own.shape[2:])]))
    return Read(rms_norm(x, params["norm"], config.rms_norm_eps), tuple(keys), tuple(values))


@jax.jit
def known(prompts: Read, source: Array) -> Past:
    """The positions [M] of what was read, as a beginning."""
    return Past(tuple(each[source] for each in prompts.keys), tuple(each[source] for each in prompts.values))


@functools.partial(jax.jit, static_argnames="config")
def told(params: Tree, hidden: Array, following: Array, config: ModelConfig) -> tuple[Array, Array, Array]:
    """Log probability of each `following` token [N] after hidden states [N, D], and the TOP likeliest
    there."""
    table = jax.nn.log_softmax(logits(params, hidden, config), axis=-1)
    best, ids = jax.lax.top_k(table, min(TOP, table.shape[-1]))
    return jnp.take_along_axis(table, following[:, None], axis=-1)[:, 0], ids, best


@functools.partial(jax.jit, static_argnames="config", donate_argnames="state")
def place(params: Tree, state: State | None, prompts: Read, places: Places, config: ModelConfig) -> State:
    """Put prompts into rows of a state, or make them a state of their own."""
    fresh = State(
        logits(params, prompts.hidden[places.last], config),
        places.length,
        places.shared,
        tuple(each[places.source].transpose(0, 2, 3, 1) for each in prompts.keys),
        tuple(each[places.source].swapaxes(1, 2) for each in prompts.values),
    )
    if state is None:
        return fresh
    merged: State = jax.tree.map(lambda old, new: old.at[places.rows].set(new, mode="drop"), state, fresh)
    return merged


@functools.partial(jax.jit, static_argnames="size")
def resize(state: State, rows: Array, size: int) -> State:
    """The `rows` [B'] of a state, with caches for `size` positions."""

    def sized(cache: Array, axis: int) -> Array:
        taken, width = cache[rows], cache.shape[axis]
        if size <= width:
            return jax.lax.slice_in_dim(taken, 0, size, axis=axis)
        return jnp.pad(taken, [(0, size - width if each == axis else 0) for each in range(4)])

    keys, values = (
        tuple(sized(each, 3) for each in state.keys),
        tuple(sized(each, 2) for each in state.values),
    )
    return State(state.scores[rows], state.position[rows], state.shared[rows], keys, values)
