"""Tiny random Qwen3 models made by Hugging Face transformers, with what it computes from them."""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from localfireworks.engine.config import WEIGHTS

SHAPE = {
    "vocab_size": 2056,  # more than the tokenizer has, as with real Qwen3
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 10,
    "max_position_embeddings": 256,
    "rope_theta": 5000.0,
    "attn_implementation": "eager",
}
IDS = np.random.default_rng(0).integers(3, 2000, 40)
NEW = 12
TEMPLATE = (
    "{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' "
    "+ '\\n' }}{%- endfor %}{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}"
    "{%- endif %}{%- endif %}"
)


@dataclasses.dataclass(frozen=True)
class Reference:
    """A saved model, its logits [n, V] for IDS, and the NEW tokens it writes after them."""

    folder: Path
    logits: np.ndarray
    written: list[int]


@pytest.fixture(scope="session")
def transformers() -> Iterator[Any]:
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of other projects' imports
        pytest.importorskip("torch", reason="no PyTorch: run `make reference`", exc_type=ImportError)
        yield pytest.importorskip("transformers", reason="transformers is missing: run `make reference`")


def made(transformers: Any, folder: Path, shards: str, **more: Any) -> Reference:
    import torch

    torch.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**SHAPE, **more)).eval()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                # far from the usual start, where all logits are nearly the same
                weight.add_(torch.randn_like(weight) * (0.3 if "norm" in name else 0.15))
            ids = torch.tensor(IDS[None])
            logits = model(ids).logits[0].numpy()
            written = model.generate(
                ids, max_new_tokens=NEW, do_sample=False, pad_token_id=0, eos_token_id=None
            )
        model.save_pretrained(folder, max_shard_size=shards)
    (folder / "tokenizer.json").write_bytes((WEIGHTS / "tokenizer.json").read_bytes())
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}))
    return Reference(folder, logits, written[0, len(IDS) :].tolist())


@pytest.fixture(scope="session")
def tied(transformers: Any, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Tied embeddings, one file."""
    return made(transformers, tmp_path_factory.mktemp("tied"), "1GB", tie_word_embeddings=True)


@pytest.fixture(scope="session")
def untied(transformers: Any, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """An output table of its own, in several files with an index."""
    return made(transformers, tmp_path_factory.mktemp("untied"), "200KB", tie_word_embeddings=False)


@pytest.fixture(params=["tied", "untied"])
def reference(request: pytest.FixtureRequest) -> Reference:
    found: Reference = request.getfixturevalue(request.param)
    return found
