"""Qwen3 decoder as pure functions over a tree of arrays (arXiv:2505.09388; layout of Hugging Face Qwen3).

Parameters: {"embed": [V, D], "norm": [D], "layers": {name: [L, in, out] or [L, size]}, "head": [D, V]
unless tied}. The layers are stacked so that one `lax.scan` compiles one layer, whatever their number.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from localfireworks.engine.config import ModelConfig, linear_shapes, norm_sizes

Array = jax.Array
Tree = dict[str, Any]
Remember = Callable[[Array, Array], tuple[Array, Array]]

LINEAR = ("q", "k", "v", "o", "gate", "up", "down")
BESIDE = (("q", "k", "v"), ("gate", "up"))  # matrices with the same input
MASKED = -1e30
SHORT, QUERY_BLOCK = 128, 64
SHARED = -1


def init_params(config: ModelConfig, key: Array) -> Tree:
    """Random weights: normal with 0.02 for embeddings, 1/sqrt(in) elsewhere, less by depth on the way
    back."""
    depth = config.num_hidden_layers
    keys = iter(jax.random.split(key, len(LINEAR) + 2))
    layers: Tree = {}
    for name, (fan_in, fan_out) in linear_shapes(config).items():
        spread = fan_in**-0.5 * ((2 * depth) ** -0.5 if name in ("o", "down") else 1.0)
        layers[name] = spread * jax.random.normal(next(keys), (depth, fan_in, fan_out))
    for name, size in norm_sizes(config).items():
        layers[name] = jnp.ones((depth, size))
    embed = 0.02 * jax.random.normal(next(keys), (config.vocab_size, config.hidden_size))
    params: Tree = {"embed": embed, "norm": jnp.ones(config.hidden_size), "layers": layers}
    if not config.tie_word_embeddings:
        params["head"] = 0.02 * jax.random.normal(next(keys), (config.hidden_size, config.vocab_size))
    return params


def rms_norm(x: Array, weight: Array, eps: float) -> Array:
    """Root mean square norm over the last axis (arXiv:1910.07467)."""
    return weight * (x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + eps))


def rotary(config: ModelConfig, positions: Array) -> tuple[Array, Array]:
    """Cosine and sine [..., T, 1, head_dim] for positions [..., T] (arXiv:2104.09864, half-rotation
    layout)."""
    half = config.head_dim // 2
    frequencies = config.rope_theta ** (-jnp.arange(half, dtype=jnp.float32) / half)
    angles = positions[..., None].astype(jnp.float32) * frequencies
    angles = jnp.concatenate([angles, angles], axis=-1)[..., None, :]
    return jnp.cos(angles), jnp.sin(angles)


def rotate(x: Array, cos: Array, sin: Array) -> Array:
    first, second = jnp.split(x, 2, axis=-1)
    return x * cos + jnp.concatenate([-second, first], axis=-1) * sin


def rounded(x: Array) -> Array:
    return x.astype(jnp.bfloat16)


def turned(x: Array) -> Array:
    """The transposed matrix [columns, rows], really laid out so.

    XLA folds a plain transpose into the product, and has no fast bfloat16 product for that; it leaves one of
    three axes.
    """
    rows, columns = x.shape
    if rows % 8:
        return x.T
    return x.reshape(rows // 8, 8, columns).transpose(2, 0, 1).reshape(columns, rows)


def rounded_product(x: Array, y: Array) -> Array:
    return jnp.matmul(rounded(x), rounded(y), preferred_element_type=jnp.float32)


@jax.custom_vjp
def bfloat16_product(x: Array, y: Array) -> Array:
    """x @ y with factors rounded to bfloat16 and sums kept in float32, in the backward pass too."""
    return rounded_product(x, y)


def _product_forward(x: Array, y: Array) -> tuple[Array, tuple[Array, Array]]:
    return rounded_product(x, y), (x, y)


def _product_backward(kept: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    x, y = kept
    return rounded_product(gradient, turned(rounded(y))), rounded_product(turned(rounded(x)), gradient)


bfloat16_product.defvjp(_product_forward, _product_backward)


def product(x: Array, y: Array, config: ModelConfig) -> Array:
    """x @ y, [N, K] @ [K, M], in the precision that the configuration names."""
    return x @ y if config.compute == "float32" else bfloat16_product(x, y)


def project(x: Array, layer: Tree, lora: Tree | None, name: str, config: ModelConfig) -> Array:
    """x @ W, plus the low-rank path scale * (x @ A) @ B where there is an adapter."""
    y = product(x, layer[name], config)
    if lora is not None:
        y = y + (x @ lora[name]["a"]) @ (lora[name]["b"] * lora[name]["scale"])
    return y


def projections(
    x: Array, layer: Tree, lora: Tree | None, names: Sequence[str], config: ModelConfig
) -> list[Array]:
    """`project` with several matrices; one product where the layer has them side by side (`joined`)."""
    beside = layer.get("+".join(names))
    if beside is None:
        return [project(x, layer, lora, name, config) for name in names]
    shapes = linear_shapes(config)
    ends = list(itertools.accumulate(shapes[name][1] for name in names))
    return jnp.split(product(x, beside, config), ends[:-1], axis=-1)


def joined(layer: Tree) -> Tree:
    """A layer [in, out] for answers: the matrices that share an input side by side."""
    beside = {"+".join(names): np.concatenate([layer[name] for name in names], axis=-1) for names in BESIDE}
    return {
        name: value for name, value in layer.items() if not any(name in names for names in BESIDE)
    } | beside


def attend(q: Array, k: Array, v: Array, mask: Array) -> Array:
    """Grouped-query attention. q [B, T, H, d], k and v [B, S, K, d], mask [B, T, S] (true = visible) ->
    [B*T, H*d].

    Long sequences are taken a block of queries at a time, and again in the backward pass: their scores then
    stay in the processor's cache, and memory grows with T instead of its square.
    """
    batch, length, heads, size = q.shape
    if length <= SHORT or length % QUERY_BLOCK:
        return attend_block(q, k, v, mask).reshape(batch * length, heads * size)
    blocks = length // QUERY_BLOCK
    queries = q.reshape(batch, blocks, QUERY_BLOCK, heads, size).swapaxes(0, 1)
    masks = mask.reshape(batch, blocks, QUERY_BLOCK, -1).swapaxes(0, 1)
    one = jax.checkpoint(lambda each: attend_block(each[0], k, v, each[1]))
    mixed: Array = jax.lax.map(one, (queries, masks))
    return mixed.swapaxes(0, 1).reshape(batch * length, heads * size)


def attend_block(q: Array, k: Array, v: Array, mask: Array) -> Array:
    """The same for all queries at once -> [B, T, H, d].

    The heads are brought to the front first: XLA's CPU matrix products want plain stacks of matrices.
    """
    (batch, length, heads, size), (_, source, keys, _) = q.shape, k.shape
    stacked = (q * size**-0.5).swapaxes(1, 2).reshape(batch, keys, heads // keys * length, size)
    scores = (stacked @ k.transpose(0, 2, 3, 1)).reshape(batch, keys, heads // keys, length, source)
    weights = jax.nn.softmax(jnp.where(mask[:, None, None], scores, MASKED), axis=-1)
    mixed = weights.reshape(batch, keys, heads // keys * length, source) @ v.swapaxes(1, 2)
    return mixed.reshape(batch, heads, length, size).swapaxes(1, 2)


def heads(x: Array, layer: Tree, lora: Tree | None, config: ModelConfig, rope: tuple[Array, Array]) -> Any:
    """Queries [B, T, H, d], keys and values [B, T, K, d] of a block's normed input [B*T, D]; the first two
    rotated."""
    shape = (*rope[0].shape[:2], -1, config.head_dim)
    q, k, v = (each.reshape(shape) for each in projections(x, layer, lora, BESIDE[0], config))
    q = rms_norm(q, layer["q_norm"], config.rms_norm_eps)
    k = rms_norm(k, layer["k_norm"], config.rms_norm_eps)
    return rotate(q, *rope), rotate(k, *rope), v


def feed_forward(x: Array, layer: Tree, lora: Tree | None, config: ModelConfig) -> Array:
    """SwiGLU (arXiv:2002.05202)."""
    gate, up = projections(x, layer, lora, BESIDE[1], config)
    return project(jax.nn.silu(gate) * up, layer, lora, "down", config)


def block(
    x: Array,
    layer: Tree,
    lora: Tree | None,
    config: ModelConfig,
    rope: tuple[Array, Array],
    mask: Array,
    remember: Remember | None = None,
) -> tuple[Array, tuple[Array, Array]]:
    """One decoder layer over x [B*T, D]; gives the new x and the keys and values it attended to.

    `remember` turns this step's keys and values into those to attend to (a cache); without it they are used
    as they are.
    """
    q, k, v = heads(rms_norm(x, layer["input_norm"], config.rms_norm_eps), layer, lora, config, rope)
    if remember is not None:
        k, v = remember(k, v)
    x = x + project(attend(q, k, v, mask), layer, lora, "o", config)
    x = x + feed_forward(rms_norm(x, layer["post_norm"], config.rms_norm_eps), layer, lora, config)
    return x, (k, v)


def visible(segments: Array) -> Array:
    """Mask [B, T, T] for packed rows: a token sees itself and what came before in its own segment, and a
    beginning (segment SHARED) that the segments of a row share."""
    source = segments[:, None, :]
    seen = (segments[:, :, None] == source) | (source == SHARED)
    return jnp.logical_and(seen, jnp.tril(jnp.ones(seen.shape[1:], bool)))


def forward(
    params: Tree,
    config: ModelConfig,
    tokens: Array,
    positions: Array,
    segments: Array,
    lora: Tree | None = None,
) -> Array:
    """Final hidden states [B*T, D] for tokens, positions and segment numbers, each [B, T].

    Activations stay two-dimensional: the gradients of a matrix product are then matrix products, twice as
    fast here. The backward pass computes each layer again (checkpoint): storing what it needs costs more
    time than that.
    """
    mask, rope = visible(segments), rotary(config, positions)

    def body(x: Array, stacked: tuple[Tree, Tree | None]) -> tuple[Array, None]:
        return block(x, stacked[0], stacked[1], config, rope, mask)[0], None

    x, _ = jax.lax.scan(jax.checkpoint(body), params["embed"][tokens.reshape(-1)], (params["layers"], lora))
    return rms_norm(x, params["norm"], config.rms_norm_eps)


def logits(params: Tree, hidden: Array, config: ModelConfig) -> Array:
    """Scores [N, V] of the next token; with tied embeddings the input table is used."""
    if "head" in params:
        return product(hidden, params["head"], config)
    table = params["embed"]
    return hidden @ table.T if config.compute == "float32" else bfloat16_product(hidden, turned(table))


def token_losses(params: Tree, hidden: Array, targets: Array, config: ModelConfig) -> Array:
    """Cross-entropy in nats of each target [B*T] under hidden states [B*T, D]."""
    scores = logits(params, hidden, config)
    chosen = jnp.take_along_axis(scores, targets[..., None], axis=-1)[..., 0]
    return jax.nn.logsumexp(scores, axis=-1) - chosen
