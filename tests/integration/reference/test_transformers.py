"""The engine on folders that transformers saved, against what transformers computes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from localfireworks.engine.asking import Asked
from localfireworks.engine.inference import Generator, iter_steps
from localfireworks.engine.lora import init_lora, merge
from localfireworks.engine.model import forward, logits
from localfireworks.engine.weights import Base, load_base
from tests.integration.reference.conftest import IDS, NEW, Reference

CLOSE = 1e-4


def scores(base: Base, lora: Any = None) -> np.ndarray:
    """Logits [n, V] of the training forward pass."""
    tokens = jnp.asarray(IDS[None], jnp.int32)
    positions = jnp.arange(len(IDS))[None]

    def compute(params: Any) -> Any:
        hidden = forward(params, base.config, tokens, positions, jnp.ones_like(tokens), lora)
        return logits(params, hidden, base.config)

    return np.asarray(jax.jit(compute)(base.params))


def written(base: Base) -> list[int]:
    answers = Generator(base).open()
    answers.add(0, Asked(prompt=tuple(IDS.tolist()), max_tokens=NEW))
    return [piece.token_id for _, pieces in iter_steps(answers) for piece in pieces]


@pytest.fixture
def base(reference: Reference) -> Base:
    return load_base(str(reference.folder))


def test_logits_equal_those_of_transformers(reference: Reference, base: Base) -> None:
    assert np.abs(scores(base) - reference.logits).max() < CLOSE
    assert reference.logits.std() > 0.5  # not all the same by accident


def test_greedy_generation_with_the_cache_is_that_of_transformers(reference: Reference, base: Base) -> None:
    assert written(base) == reference.written


def test_chances_of_a_prompt_are_those_of_the_logits(reference: Reference, base: Base) -> None:
    told = Generator(base).prompt_chances(IDS.tolist())
    table = jax.nn.log_softmax(reference.logits)
    expected = np.asarray(table)[np.arange(len(IDS) - 1), IDS[1:]]
    assert np.abs(np.asarray([chance for chance, _ in told]) - expected).max() < CLOSE
    assert [top[0].token_id for _, top in told] == reference.logits[:-1].argmax(axis=-1).tolist()


def test_an_adapter_beside_the_weights_equals_one_merged_in(base: Base) -> None:
    draw = np.random.default_rng(1)
    lora = {
        name: {**part, "b": 0.05 * draw.normal(size=part["b"].shape).astype(np.float32)}
        for name, part in init_lora(base.config, 4, 0).items()
    }
    beside, merged = scores(base, lora), scores(base._replace(params=merge(base.params, lora)))
    assert np.abs(beside - merged).max() < CLOSE
    assert np.abs(beside - scores(base)).max() > 0.1


def test_bfloat16_stays_near(reference: Reference) -> None:
    rough = scores(load_base(str(reference.folder), "bfloat16"))
    assert np.abs(rough - reference.logits).max() < 0.05 * np.abs(reference.logits).max()


def test_the_template_renders_as_transformers_does(transformers: Any, tied: Reference) -> None:
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(tied.folder)
    messages = [{"role": "user", "content": "Where is my card?"}]
    for thinking in (True, False):
        expected = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, enable_thinking=thinking, return_dict=False
        )
        assert load_base(str(tied.folder)).renderer.prompt(messages, thinking=thinking) == expected
