"""A Qwen3 folder: loaded, rendered with its own template, and refused with one line that helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file

from localfireworks.engine.config import WEIGHTS, ModelConfig
from localfireworks.engine.folder import NotAModel, check_folder
from localfireworks.engine.inference import load
from localfireworks.engine.model import init_params
from localfireworks.engine.template import checked_folder, own_renderer
from localfireworks.engine.weights import save_model, to_tensors

CONFIG = ModelConfig(2048, 16, 24, 2, 4, 2, 6, max_position_embeddings=128)
TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)
QUESTION = {"role": "user", "content": "Where?"}
ANSWER = {"role": "assistant", "content": "Here."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    params = jax.device_get(init_params(CONFIG, jax.random.key(0)))
    save_model(tmp_path, params, CONFIG, np.float32)
    (tmp_path / "tokenizer.json").write_bytes((WEIGHTS / "tokenizer.json").read_bytes())
    (tmp_path / "chat_template.jinja").write_text(TEMPLATE)
    return tmp_path


def test_a_folder_answers_with_its_own_template(folder: Path) -> None:
    found = checked_folder(folder)
    tensors = to_tensors(init_params(CONFIG, jax.random.key(0)))
    assert found.parameters == sum(each.size for each in tensors.values())
    model = load(str(folder))
    prompt = model.prompt([QUESTION])
    assert model.renderer.tokenizer.decode(list(prompt), skip_special_tokens=False) == (
        "[user]Where?<|im_end|>[assistant]"
    )
    pieces = list(model.generate([QUESTION], max_tokens=5))
    assert 1 <= len(pieces) <= 5
    with pytest.raises(ValueError, match="no tools here"):
        model.prompt([{"role": "tool", "content": "x"}])


def test_loss_is_taken_on_what_the_assistant_says(folder: Path) -> None:
    renderer = load(str(folder)).renderer
    first, second = ANSWER | {"weight": 0}, ANSWER | {"content": "There."}
    (row,) = renderer.render([{"messages": [QUESTION, first, QUESTION, second], "weight": 0.5}])
    trained = row.ids[row.weights > 0].tolist()
    assert renderer.tokenizer.decode(trained, skip_special_tokens=False) == "There.<|im_end|>"
    assert set(row.weights.tolist()) == {0.0, 0.5}


def change(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model_type": "llama"}, "'llama': choose a dense Qwen3"),
        ({"rope_scaling": {"rope_type": "yarn"}}, "yarn"),
        ({"attention_bias": True}, "attention_bias"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"hidden_size": 32}, r"config.json asks for \[2048, 32\]"),
        ({"num_hidden_layers": 3}, "no tensor model.layers.2"),
        ({"tie_word_embeddings": False}, "no tensor lm_head.weight"),
        ({"vocab_size": 1000}, r"embed_tokens.weight is \[2048, 16\]"),
    ],
)
def test_another_model_is_refused(folder: Path, values: dict[str, Any], words: str) -> None:
    change(folder, **values)
    with pytest.raises(NotAModel, match=words) as refused:
        checked_folder(folder)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(NotAModel, match=f"{name} is missing"):
        checked_folder(folder)


FILES = ("config.json", "tokenizer.json", "model.safetensors")


@pytest.mark.parametrize("name", [*FILES, "chat_template.jinja"])
def test_a_broken_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"{% broken")
    with pytest.raises(NotAModel, match=r"template|" + name):
        checked_folder(folder)


def test_without_a_template_the_markers_of_the_tokenizer_serve(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    assert load(str(folder)).count_prompt_tokens([QUESTION]) > 5


def test_weights_in_bfloat16_are_read(folder: Path) -> None:
    import ml_dtypes

    params = jax.device_get(init_params(CONFIG, jax.random.key(0)))
    save_file(to_tensors(params, ml_dtypes.bfloat16), folder / "model.safetensors")
    assert checked_folder(folder).config == CONFIG
    assert load(str(folder)).count_prompt_tokens([QUESTION]) > 5


@pytest.mark.parametrize("source", ["{{ 1 // 0 }}", "{{ messages[0].content + 1 }}"])
def test_a_template_that_stumbles_refuses_the_messages(folder: Path, source: str) -> None:
    (folder / "chat_template.jinja").write_text(source)
    renderer = own_renderer(check_folder(folder))
    with pytest.raises(ValueError, match="the model's chat template refuses the messages"):
        renderer.prompt([QUESTION])
