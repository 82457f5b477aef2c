"""DPO and ORPO against the formulas of their papers, written in NumPy for one pair at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from localfireworks.engine.chat import Rendered
from localfireworks.engine.config import ModelConfig
from localfireworks.engine.lora import init_lora, merge
from localfireworks.engine.losses import Answers, Dpo, Orpo, answer_chances, log_odds, orpo
from localfireworks.engine.model import forward, linear_shapes, logits, norm_sizes
from localfireworks.engine.packing import pack_pairs
from localfireworks.engine.pairs import Pair

CONFIG = ModelConfig(40, 16, 24, 2, 4, 2, 6)
BETA, WEIGHT, WIDTH = 0.3, 0.7, 64
DPO, ORPO = Dpo(BETA), Orpo(WEIGHT)
PROMPTS, ANSWERS = (4, 9, 2, 30), ((5, 3), (2, 8), (7, 7), (20, 25))


def drawn(shape, seed):
    return 0.3 * np.random.default_rng(seed).normal(size=shape)


@pytest.fixture(scope="module")
def policy():
    """(base, adapter) of a tiny random model whose adapter has an effect."""
    depth = CONFIG.num_hidden_layers
    layers = {name: drawn((depth, *shape), 1) for name, shape in linear_shapes(CONFIG).items()}
    layers |= {name: 1 + drawn((depth, size), 2) for name, size in norm_sizes(CONFIG).items()}
    params = {"embed": drawn((CONFIG.vocab_size, 16), 0), "norm": np.ones(16), "layers": layers}
    params = jax.device_put(jax.tree.map(np.float32, params))
    fresh = init_lora(CONFIG, 3, 7)
    adapter = {
        name: {**part, "b": drawn(part["b"].shape, number).astype(np.float32)}
        for number, (name, part) in enumerate(fresh.items())
    }
    return params, adapter


@pytest.fixture(scope="module")
def pairs():
    """Four pairs with a prompt of their own each, and made-up reference values."""
    draw = np.random.default_rng(3)

    def conversation(prompt, answer):
        ids = np.concatenate([prompt, draw.integers(0, 40, answer)])
        return Rendered(ids.astype(np.int32), np.float32([0] * len(prompt) + [1] * answer))

    made = []
    for size, (preferred, other) in zip(PROMPTS, ANSWERS, strict=True):
        prompt = draw.integers(0, 40, size)
        reference = tuple(float(value) for value in -draw.uniform(2, 60, 2))
        made.append(Pair(conversation(prompt, preferred), conversation(prompt, other), reference))
    return made


@jax.jit
def scores(params, ids):
    hidden = forward(params, CONFIG, ids[None], jnp.arange(WIDTH)[None], jnp.ones((1, WIDTH), int))
    return logits(params, hidden, CONFIG)


def chances(params, sample):
    """Log probabilities of a conversation's trained tokens, one forward pass for it alone."""
    table = np.asarray(scores(params, np.pad(sample.ids, (0, WIDTH - len(sample.ids)))), np.float64)
    table -= np.log(np.exp(table).sum(axis=1, keepdims=True))
    return np.array([table[at - 1, sample.ids[at]] for at in np.flatnonzero(sample.weights)])


def by_formula(policy, pairs):
    """Means of what both losses measure, from merged weights."""
    params = merge(*policy)
    rows = []
    for pair in pairs:
        y, n = chances(params, pair.preferred), chances(params, pair.other)
        margin = (y.sum() - pair.reference[0]) - (n.sum() - pair.reference[1])
        odds = [np.exp(each.mean()) / (1 - np.exp(each.mean())) for each in (y, n)]
        ratio = np.log(odds[0] / odds[1])
        odds_loss = -np.log(1 / (1 + np.exp(-ratio)))
        rows.append([-np.log(1 / (1 + np.exp(-BETA * margin))), margin, margin > 0])
        rows[-1] += [-y.mean() + WEIGHT * odds_loss, -y.mean(), odds_loss, ratio, ratio > 0]
    means = np.mean(rows, axis=0)
    return means[:3], means[3:]


def parts(policy):
    params, adapter = policy
    trained = {name: {"a": part["a"], "b": part["b"]} for name, part in adapter.items()}
    return trained, (params, adapter["q"]["scale"])


def both_losses(trained, frozen, batch):
    return DPO(trained, frozen, CONFIG, batch), ORPO(trained, frozen, CONFIG, batch)


@pytest.fixture(scope="module")
def measure(policy):
    """A function of a batch: what DPO and ORPO measure, and the policy's log probabilities."""
    trained, frozen = parts(policy)
    return jax.jit(
        lambda batch: (*both_losses(trained, frozen, batch), answer_chances(trained, frozen, CONFIG, batch))
    )


def test_losses_equal_the_formulas_of_the_papers(policy, pairs, measure):
    (batch,) = pack_pairs(pairs, WIDTH)
    for found, expected, loss in zip(measure(batch), by_formula(policy, pairs), (DPO, ORPO), strict=False):
        assert np.asarray(found) / len(pairs) == pytest.approx(expected, abs=1e-5, rel=1e-5)
        assert len(found) == len(loss.measured)


def test_a_policy_that_is_its_own_reference_has_no_margin(pairs, measure):
    (batch,) = pack_pairs(pairs, WIDTH)
    chances = np.asarray(measure(batch)[2])
    own = batch._replace(reference=chances.transpose(0, 2, 1).reshape(batch.reference.shape))
    loss, margin, _ = np.asarray(measure(own)[0]) / len(pairs)
    assert (loss, margin) == pytest.approx((np.log(2), 0), abs=1e-5)


def test_gradients_equal_finite_differences(policy, pairs):
    with jax.enable_x64(True):
        trained, frozen = jax.tree.map(np.float64, parts(policy))
        (batch,) = pack_pairs(pairs, WIDTH)

        def value(matrices, share):
            dpo, orpo = both_losses(matrices, frozen, batch)
            return share * dpo[0] + (1 - share) * orpo[0]

        compiled = jax.jit(jax.value_and_grad(value))
        for share in (0.0, 1.0):
            _, gradients = compiled(trained, share)
            for name in trained:
                given = lambda matrices, s=share: compiled(matrices, s)[0]  # noqa: E731
                measured, expected = slopes(given, trained, gradients, name)
                assert measured == pytest.approx(expected, rel=1e-5, abs=1e-7)


def slopes(value, trained, gradients, name, size=1e-5):
    """Along a random direction of one linear layer's matrices: by finite differences, and by the gradient."""
    direction = jax.tree.map(np.zeros_like, trained)
    direction[name] = {side: drawn(part.shape, 9) for side, part in trained[name].items()}
    ahead, behind = (
        float(value(jax.tree.map(lambda x, d, s=sign * size: x + s * d, trained, direction)))
        for sign in (1, -1)
    )
    both = zip(*map(jax.tree.leaves, (gradients, direction)), strict=True)
    expected = sum(float(np.vdot(gradient, each)) for gradient, each in both)
    return (ahead - behind) / (2 * size), expected


@pytest.mark.parametrize("mean", [-30.0, -2.0, -0.7, -0.6, -0.01, -1e-4])
def test_odds_are_exact_for_rare_and_for_common_answers(mean):
    exact = mean - np.log(-np.expm1(mean))
    assert float(log_odds(jnp.float32(mean))) == pytest.approx(exact, rel=1e-4, abs=1e-5)


def test_a_certain_answer_has_a_finite_gradient():
    one = jnp.ones(1)

    def value(chance):
        return orpo(Answers(chance, -one, one, one), WEIGHT)[0].sum()

    assert np.isfinite(jax.grad(value)(jnp.zeros(1))).all()
