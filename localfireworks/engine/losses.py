"""What preference learning minimizes: DPO (arXiv:2305.18290) and ORPO (arXiv:2403.07691), per pair.

Log probabilities are in nats. DPO takes those of whole answers; ORPO their means per token, as its paper
defines log P(y|x).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from localfireworks.engine.config import ModelConfig
from localfireworks.engine.model import Array, Tree, forward, token_losses
from localfireworks.engine.optimizer import with_scale
from localfireworks.engine.packing import PairBatch

LEAST_SURPRISE = 1e-6  # nats a token; the odds of what is certain are infinite


class Answers(NamedTuple):
    """Log probabilities of preferred and other answers and their token counts, arrays of one shape."""

    preferred: Array
    other: Array
    preferred_tokens: Array
    other_tokens: Array


def dpo(policy: Answers, reference: tuple[Array, Array], beta: float) -> tuple[Array, Array]:
    """(loss, margin) of each pair: -log sigmoid(beta * margin), where the margin says by how much the policy
    prefers the preferred answer more than the reference does."""
    margin = (policy.preferred - reference[0]) - (policy.other - reference[1])
    return -jax.nn.log_sigmoid(beta * margin), margin


def log_odds(mean: Array) -> Array:
    """log(p / (1 - p)) for p = exp(mean), mean < 0."""
    mean = jnp.minimum(mean, -LEAST_SURPRISE)
    small = mean < -math.log(2)  # each branch is exact where the other one is not (and its gradient finite)
    rest = jnp.where(
        small,
        jnp.log1p(-jnp.exp(jnp.where(small, mean, -1.0))),
        jnp.log(-jnp.expm1(jnp.where(small, -1.0, mean))),
    )
    return mean - rest


def orpo(policy: Answers, weight: float) -> tuple[Array, Array, Array, Array]:
    """(loss, cross-entropy of the preferred answer, odds-ratio loss, log odds ratio) of each pair."""
    preferred = policy.preferred / jnp.maximum(policy.preferred_tokens, 1)
    other = policy.other / jnp.maximum(policy.other_tokens, 1)
    ratio = log_odds(preferred) - log_odds(other)
    odds_loss = -jax.nn.log_sigmoid(ratio)
    return -preferred + weight * odds_loss, -preferred, odds_loss, ratio


def answers(trained: Tree, frozen: tuple[Tree, Array], config: ModelConfig, pairs: PairBatch) -> Answers:
    """What the policy makes of the answers of a batch, each array [rows / 2, slots]."""
    params, scale = frozen
    batch = pairs.batch
    lora = with_scale(trained, scale)
    hidden = forward(params, config, batch.tokens, batch.positions, batch.segments, lora)
    losses = token_losses(params, hidden, batch.targets.reshape(-1), config).reshape(batch.targets.shape)
    places = jax.nn.one_hot(batch.segments - 1, pairs.reference.shape[1], dtype=losses.dtype)
    chances = -jnp.einsum("rt,rts->rs", losses * batch.weights, places)
    counts = jnp.einsum("rt,rts->rs", jnp.asarray(batch.weights, losses.dtype), places)
    return Answers(chances[::2], chances[1::2], counts[::2], counts[1::2])


def answer_chances(trained: Tree, frozen: Any, config: ModelConfig, pairs: PairBatch) -> Array:
    """Log probabilities [rows / 2, slots, 2] of preferred and other answers."""
    policy = answers(trained, frozen, config, pairs)
    return jnp.stack([policy.preferred, policy.other], axis=-1)


@dataclasses.dataclass(frozen=True)
class Dpo:
    """DPO as a loss of the trainer: sums over the pairs of a batch, as `measured` names them."""

    beta: float
    measured: ClassVar[tuple[str, ...]] = ("dpo_loss", "margin", "accuracy")

    def __call__(self, trained: Tree, frozen: Any, config: ModelConfig, pairs: PairBatch) -> Array:
        reference = pairs.reference[::2], pairs.reference[1::2]
        loss, margin = dpo(answers(trained, frozen, config, pairs), reference, self.beta)
        return sums(pairs, loss, margin, margin > 0)


@dataclasses.dataclass(frozen=True)
class Orpo:
    """ORPO as a loss of the trainer: sums over the pairs of a batch, as `measured` names them."""

    weight: float
    measured: ClassVar[tuple[str, ...]] = ("orpo_loss", "sft_loss", "or_loss", "log_odds_ratio", "accuracy")

    def __call__(self, trained: Tree, frozen: Any, config: ModelConfig, pairs: PairBatch) -> Array:
        loss, cross_entropy, odds_loss, ratio = orpo(answers(trained, frozen, config, pairs), self.weight)
        return sums(pairs, loss, cross_entropy, odds_loss, ratio, ratio > 0)


def sums(pairs: PairBatch, *values: Array) -> Array:
    """The sum of each value over the pairs that are there."""
    return jnp.stack([jnp.sum(value * pairs.present) for value in values])
