"""The program that writes: up to CHUNK tokens in every row of a state."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from localfireworks.engine.asking import TOP
from localfireworks.engine.config import ModelConfig
from localfireworks.engine.decoding import Past, State
from localfireworks.engine.model import (
    MASKED,
    Array,
    Tree,
    feed_forward,
    heads,
    logits,
    project,
    rms_norm,
    rotary,
)
from localfireworks.engine.sampling import Draws, Weights, best, choose, weigh

CHUNK = 16


class Written(NamedTuple):
    """Tokens [B, CHUNK] with their log probabilities, how many each row has [B], steps taken, and with them
    the TOP likeliest ids and log probabilities [B, CHUNK, TOP] where they were asked for."""

    tokens: Any
    chances: Any
    counts: Any
    steps: Any
    top: tuple[Any, Any] | None


def look_back(q: Array, past: tuple[Array, Array], own: tuple[Array, Array], seen: Array) -> Array:
    """Attention of one query a row, [B, 1, H, d], over a beginning that all rows share, keys and values
    [M, K, d], and over their own positions, keys [B, K, d, S] and values [B, K, S, d] -> [B, H*d]. `seen`
    [B, M + S].

    The shared part is one product for all rows, not one a row (arXiv:2402.05099), and the softmax is taken
    over both parts together.
    """
    (batch, _, count, size), (width, groups, _) = q.shape, past[0].shape
    grouped = (q * size**-0.5).reshape(batch, groups, count // groups, size)
    scores = [over_all(grouped, past[0].transpose(1, 2, 0)), grouped @ own[0]]
    weights = jnp.where(seen[:, None, None], jnp.concatenate(scores, axis=-1), MASKED)
    weights = jax.nn.softmax(weights, axis=-1)
    mixed = over_all(weights[..., :width], past[1].swapaxes(0, 1)) + weights[..., width:] @ own[1]
    return mixed.reshape(batch, count * size)


def over_all(x: Array, y: Array) -> Array:
    """x [B, K, G, m] @ y [K, m, n] for all rows in one product -> [B, K, G, n]."""
    batch, groups, queries, inner = x.shape
    together = x.swapaxes(0, 1).reshape(groups, batch * queries, inner) @ y
    return together.reshape(groups, batch, queries, y.shape[-1]).swapaxes(0, 1)


def extend(params: Tree, past: Past, state: State, tokens: Array, alive: Array, config: ModelConfig) -> State:
    """Add one token [B] to each row; a row that is not `alive` stays at its position."""
    rows, eps = jnp.arange(tokens.shape[0]), config.rms_norm_eps
    rope = rotary(config, state.position[:, None])
    slot = state.position - state.shared
    seen = jnp.concatenate(
        [
            jnp.arange(past.width) < state.shared[:, None],
            jnp.arange(state.width) <= slot[:, None],
        ],
        axis=-1,
    )
    x, keys, values = params["embed"][tokens], [], []
    for layer, before, own_keys, own_values in zip(
        params["layers"], zip(*past, strict=True), state.keys, state.values, strict=True
    ):
        q, k, v = heads(rms_norm(x, layer["input_norm"], eps), layer, None, config, rope)
        keys.append(own_keys.at[rows, :, :, slot].set(k[:, 0], mode="drop"))
        values.append(own_values.at[rows, :, slot].set(v[:, 0], mode="drop"))
        mixed = look_back(q, before, (keys[-1], values[-1]), seen)
        x = x + project(mixed, layer, None, "o", config)
        x = x + feed_forward(rms_norm(x, layer["post_norm"], eps), layer, None, config)
    scores = logits(params, rms_norm(x, params["norm"], eps), config)
    return State(scores, state.position + alive, state.shared, tuple(keys), tuple(values))


@functools.partial(jax.jit, static_argnames=("config", "stop_ids", "top", "drawn"), donate_argnames="state")
def write(
    params: Tree,
    past: Past,
    state: State,
    draws: Draws,
    weights: Weights | None,
    limit: Array,
    patience: Array,
    config: ModelConfig,
    stop_ids: tuple[int, ...],
    top: bool,
    drawn: bool,
) -> tuple[State, Written]:
    """Up to `limit` <= CHUNK further tokens a row.

    A row ends with one of `stop_ids` or when nothing is left to it; the chunk ends early once `patience` rows
    have nothing to write. Log probabilities are those of the model, whatever the sampling. Not `drawn`: every
    row takes the likeliest token, and a third of the program, which draws, is not compiled.
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
        scores = weigh(now.scores, weights)
        token = choose(scores, draws, step) if drawn else best(scores)
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
        return extend(params, past, now, token, alive, config), following, further

    state, written, _ = jax.lax.while_loop(going, one, (state, written, draws.left > 0))
    return state, written
