"""The decoder against independent computations, on a tiny random one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from localfireworks.engine.asking import Asked
from localfireworks.engine.batch import Batch
from localfireworks.engine.chat import Rendered
from localfireworks.engine.config import ModelConfig
from localfireworks.engine.decoding import for_decoding
from localfireworks.engine.lora import init_lora, load_adapter, merge, rank_of, save_adapter
from localfireworks.engine.model import forward, init_params, logits
from localfireworks.engine.optimizer import lora_loss, summed_loss
from localfireworks.engine.packing import pack
from localfireworks.engine.row import Row
from localfireworks.engine.sampling import Draws, choose
from localfireworks.engine.weights import from_tensors, to_tensors

CONFIG = ModelConfig(40, 16, 24, 2, 4, 2, 6)
WIDTH = 24
TABLE = [bytes([65 + token]) for token in range(CONFIG.vocab_size)]
IDS = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], np.int32)


@pytest.fixture(scope="module")
def params():
    fresh = jax.device_get(init_params(CONFIG, jax.random.key(0)))
    draw = np.random.default_rng(0)
    layers = {
        name: value + 0.1 * draw.normal(size=value.shape).astype(np.float32)
        for name, value in fresh["layers"].items()
    }
    return {"embed": fresh["embed"] * 20, "norm": fresh["norm"] * 1.5, "layers": layers}


@pytest.fixture(scope="module")
def adapter():
    draw = np.random.default_rng(1)
    fresh = init_lora(CONFIG, 3, 7)
    return {
        name: {**part, "b": draw.normal(size=part["b"].shape).astype(np.float32)}
        for name, part in fresh.items()
    }


@jax.jit
def padded_scores(params, tokens, lora):
    positions = jnp.arange(WIDTH)[None]
    return logits(params, forward(params, CONFIG, tokens, positions, jnp.ones_like(tokens), lora), CONFIG)


def scores(params, ids, lora=None):
    """Logits [n, V]; what follows a token does not change them, so one padded shape serves all."""
    tokens = np.zeros((1, WIDTH), np.int32)
    tokens[0, : len(ids)] = ids
    return np.asarray(padded_scores(params, tokens, lora))[: len(ids)]


def loss_of(config):
    return jax.jit(lambda params, batch: summed_loss(params, None, config, batch))


def by_hand(params, ids):
    """The same model written token by token and head by head, in float64."""
    layers = {name: np.asarray(value, np.float64) for name, value in params["layers"].items()}

    def norm(x, weight):
        return weight * x / np.sqrt((x * x).mean() + CONFIG.rms_norm_eps)

    def turn(x, position):
        half = CONFIG.head_dim // 2
        angle = position * CONFIG.rope_theta ** (-np.arange(half) / half)
        left, right = x[:half], x[half:]
        return np.concatenate(
            [left * np.cos(angle) - right * np.sin(angle), right * np.cos(angle) + left * np.sin(angle)]
        )

    xs = [np.asarray(params["embed"], np.float64)[token] for token in ids]
    for number in range(CONFIG.num_hidden_layers):
        layer = {name: value[number] for name, value in layers.items()}
        normed = [norm(x, layer["input_norm"]) for x in xs]
        split = [{name: (x @ layer[name]).reshape(-1, CONFIG.head_dim) for name in "qkv"} for x in normed]
        for at, x in enumerate(list(xs)):
            mixed = []
            for head in range(CONFIG.num_attention_heads):
                group = head // CONFIG.queries_per_key
                query = turn(norm(split[at]["q"][head], layer["q_norm"]), at)
                keys = [turn(norm(split[past]["k"][group], layer["k_norm"]), past) for past in range(at + 1)]
                weights = np.exp([query @ key / np.sqrt(CONFIG.head_dim) for key in keys])
                values = [split[past]["v"][group] for past in range(at + 1)]
                mixed.append(sum(w * v for w, v in zip(weights / weights.sum(), values, strict=True)))
            x = x + np.concatenate(mixed) @ layer["o"]
            normed_x = norm(x, layer["post_norm"])
            gate = normed_x @ layer["gate"]
            xs[at] = x + (gate / (1 + np.exp(-gate)) * (normed_x @ layer["up"])) @ layer["down"]
    table = np.asarray(params["embed"], np.float64)
    return np.stack([norm(x, np.asarray(params["norm"], np.float64)) @ table.T for x in xs])


def test_logits_equal_a_plain_computation(params):
    assert np.abs(scores(params, IDS) - by_hand(params, IDS)).max() < 1e-4


def test_packing_changes_nothing(params):
    samples = [Rendered(part, np.ones(len(part), np.float32)) for part in (IDS, IDS[3:9], IDS[5:7])]
    packed = sum(float(loss_of(CONFIG)(params, batch)) for batch in pack(samples, 64))
    alone = 0.0
    for sample in samples:
        table = jax.nn.log_softmax(scores(params, sample.ids[:-1]))
        alone -= float(table[np.arange(len(sample.ids) - 1), sample.ids[1:]].sum())
    assert packed == pytest.approx(alone, rel=1e-5)


def test_an_adapter_equals_the_merged_weights(params, adapter):
    assert np.abs(scores(params, IDS, adapter) - scores(merge(params, adapter), IDS)).max() < 1e-4
    assert np.abs(scores(params, IDS, adapter) - scores(params, IDS)).max() > 0.1


def test_a_fresh_adapter_changes_nothing(params):
    assert np.allclose(scores(params, IDS, init_lora(CONFIG, 3, 0)), scores(params, IDS), atol=1e-4)


def test_gradients_agree_with_finite_differences(params, adapter):
    matrices = {name: {"a": part["a"], "b": part["b"]} for name, part in adapter.items()}
    batch = pack([Rendered(IDS, np.linspace(0, 1, len(IDS), dtype=np.float32))], 64)[0]
    frozen = (params, adapter["q"]["scale"])
    loss = jax.jit(lambda trained: lora_loss(trained, frozen, CONFIG, batch))
    gradients = jax.jit(jax.grad(loss))(matrices)
    draw = np.random.default_rng(2)
    size = 5e-4
    for name in matrices:
        direction = jax.tree.map(np.zeros_like, matrices)
        for side, part in matrices[name].items():
            direction[name][side] = draw.normal(size=part.shape).astype(np.float32)
        ahead, behind = (
            float(loss(jax.tree.map(lambda x, d, s=sign * size: x + s * d, matrices, direction)))
            for sign in (1, -1)
        )
        pairs = zip(*map(jax.tree.leaves, (gradients, direction)), strict=True)
        expected = sum(float(jnp.vdot(g, d)) for g, d in pairs)
        assert (ahead - behind) / (2 * size) == pytest.approx(expected, rel=0.03, abs=0.1)


def decoded(params, ids, count, config=CONFIG, **asked):
    """Token ids and log probabilities of one answer."""
    batch = Batch(for_decoding(params, config), config, (39,))
    batch.add(Row(0, Asked(max_tokens=count, **asked), tuple(ids.tolist()), count, TABLE, None))
    pieces = []
    while batch.busy:
        pieces += [piece for _, said in batch.step() for piece in said]
    return [piece.token_id for piece in pieces], [piece.logprob for piece in pieces]


def test_cached_decoding_equals_the_whole_forward_pass(params):
    written, chances = decoded(params, IDS, 8)
    ids = IDS.tolist()
    for token, chance in zip(written, chances, strict=True):
        last = scores(params, ids)[-1]
        assert token == last.argmax()
        assert chance == pytest.approx(float(jax.nn.log_softmax(last)[token]), abs=1e-4)
        ids.append(token)
    assert len(ids) == len(IDS) + len(written)


def drawn(scores, **given):
    """What 60 seeds draw from one row of scores."""
    rows = 60
    usual = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "done": 0, "left": 1}
    draws = Draws(
        seed=np.arange(rows, dtype=np.uint32), **{k: np.full(rows, v) for k, v in (usual | given).items()}
    )
    return set(np.asarray(jax.jit(choose)(jnp.tile(scores, (rows, 1)), draws, 0)).tolist())


@pytest.mark.parametrize(
    ("limits", "seen"),
    [
        ({}, {0, 1, 2, 3}),
        ({"top_k": 2}, {0, 1}),
        ({"top_p": 0.7}, {0, 1}),
        ({"top_p": 0.0}, {0}),
        ({"min_p": 0.25}, {0, 1, 2}),
        ({"top_k": 3, "top_p": 0.4}, {0}),
        ({"temperature": 0.0}, {0}),
    ],
)
def test_sampling_stays_in_its_limits(limits, seen):
    assert drawn(jnp.asarray(np.log([0.5, 0.3, 0.15, 0.05]), jnp.float32), **limits) == seen


def test_sampling_follows_its_seed(params):
    hot = [decoded(params, IDS, 8, temperature=1.5, seed=seed)[0] for seed in (1, 1, 2)]
    assert hot[0] == hot[1]
    assert hot[0] != hot[2]


def test_an_answer_is_the_same_alone_and_in_company(params):
    asked = [
        Asked(
            max_tokens=6 + number, temperature=0.9 * (number % 2), seed=number, top_k=(0, 7)[number % 3 == 0]
        )
        for number in range(9)
    ]
    prompts = [tuple(IDS[: 3 + number].tolist()) for number in range(9)]
    batch = Batch(for_decoding(params, CONFIG), CONFIG, (39,))
    for number, (each, prompt) in enumerate(zip(asked, prompts, strict=True)):
        batch.add(Row(number, each, prompt, each.max_tokens, TABLE, None))
    batch.drop(4)
    together = {number: [] for number in range(9)}
    while batch.busy:
        for ticket, pieces in batch.step():
            together[ticket] += [piece.token_id for piece in pieces]
    assert together.pop(4) == []
    for number, ids in together.items():
        each = asked[number]
        limits = {"temperature": each.temperature, "seed": each.seed, "top_k": each.top_k}
        assert ids == decoded(params, np.asarray(prompts[number]), each.max_tokens, **limits)[0]


def test_penalties_and_biases_change_what_is_written(params):
    plain = decoded(params, IDS, 8)[0]
    assert decoded(params, IDS, 8, logit_bias={plain[0]: -100.0})[0][0] != plain[0]
    assert set(decoded(params, IDS, 4, logit_bias={7: 1000.0})[0]) == {7}
    varied = decoded(params, IDS, 8, presence_penalty=1000.0)[0]
    assert len(set(varied)) == len(varied)


def test_weights_survive_the_hugging_face_names(params):
    tensors = to_tensors(params, np.float32)
    assert tensors["model.layers.1.self_attn.k_proj.weight"].shape == (12, 16)
    back = from_tensors(tensors, CONFIG)
    assert np.array_equal(scores(back, IDS), scores(params, IDS))


def test_an_adapter_survives_its_files_and_fits_only_its_base(adapter, tmp_path):
    save_adapter(tmp_path, adapter, "tiny")
    back = load_adapter(tmp_path, CONFIG)
    assert rank_of(back) == 3
    assert all(np.array_equal(a, b) for a, b in zip(*map(jax.tree.leaves, (adapter, back)), strict=True))
    with pytest.raises(ValueError, match="another"):
        load_adapter(tmp_path, ModelConfig(40, 32, 24, 2, 4, 2, 6))
    with pytest.raises(ValueError, match="all 3 layers"):
        load_adapter(tmp_path, ModelConfig(40, 16, 24, 3, 4, 2, 6))


def test_bfloat16_products_stay_near_float32(params):
    rough = ModelConfig(**{**CONFIG.__dict__, "compute": "bfloat16"})
    batch = pack([Rendered(IDS, np.ones(len(IDS), np.float32))], 64)[0]
    exact, exact_gradient = jax.jit(jax.value_and_grad(loss_of(CONFIG)))(params, batch)
    near, near_gradient = jax.jit(jax.value_and_grad(loss_of(rough)))(params, batch)
    assert float(near) == pytest.approx(float(exact), rel=0.02)
    up, rough_up = exact_gradient["layers"]["up"], near_gradient["layers"]["up"]
    assert float(jnp.abs(up - rough_up).max()) < 0.05 * float(jnp.abs(up).max())
