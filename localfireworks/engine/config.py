"""Shape of a decoder, with the names of a Hugging Face Qwen3 folder, and the stand-ins."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
STANDINS = ("small", "medium", "large")
LINEAR_NAMES = {
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}
NORM_NAMES = {
    "input_norm": "input_layernorm",
    "post_norm": "post_attention_layernorm",
    "q_norm": "self_attn.q_norm",
    "k_norm": "self_attn.k_norm",
}


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Qwen3 architecture (arXiv:2505.09388). Widths and counts are in elements; hashable, so jit can key on
    it.

    `compute` is ours: "float32", or "bfloat16" for factors of matrix products rounded to bfloat16 (sums in
    float32).
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    max_position_embeddings: int = 1024
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-6
    tie_word_embeddings: bool = True
    compute: str = "float32"

    @property
    def queries_per_key(self) -> int:
        return self.num_attention_heads // self.num_key_value_heads

    @classmethod
    def read(cls, path: Path) -> ModelConfig:
        """Read a `config.json`; fields this engine does not use are left aside."""
        return cls.from_dict(json.loads(path.read_text()))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def to_dict(self) -> dict[str, Any]:
        """The values as a Hugging Face `config.json` has them."""
        return {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            "hidden_act": "silu",
            "attention_bias": False,
            **dataclasses.asdict(self),
        }


def standin_shape(name: str, vocab_size: int) -> ModelConfig:
    """The shape of a stand-in by its name: about 0.5, 1.5 and 4 million parameters at 2,048 tokens."""
    shapes = {"small": (96, 256, 3, 4, 24), "medium": (160, 448, 4, 4, 40), "large": (256, 640, 5, 8, 32)}
    if name not in shapes:
        raise ValueError(f"unknown stand-in {name!r}: choose one of {', '.join(STANDINS)}")
    hidden, inner, layers, heads, head_dim = shapes[name]
    return ModelConfig(vocab_size, hidden, inner, layers, heads, heads // 2, head_dim)


def linear_shapes(config: ModelConfig) -> dict[str, tuple[int, int]]:
    """(in, out) of each linear layer, as used in `x @ w`."""
    hidden, inner = config.hidden_size, config.intermediate_size
    queries = config.num_attention_heads * config.head_dim
    keys = config.num_key_value_heads * config.head_dim
    return {
        "q": (hidden, queries),
        "k": (hidden, keys),
        "v": (hidden, keys),
        "o": (queries, hidden),
        "gate": (hidden, inner),
        "up": (hidden, inner),
        "down": (inner, hidden),
    }


def norm_sizes(config: ModelConfig) -> dict[str, int]:
    hidden, head = config.hidden_size, config.head_dim
    return {"input_norm": hidden, "post_norm": hidden, "q_norm": head, "k_norm": head}


def tensor_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor of a Hugging Face Qwen3 file with its shape; matrices are [out, in] there."""
    table = (config.vocab_size, config.hidden_size)
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": table, "model.norm.weight": table[1:]}
    if not config.tie_word_embeddings:
        shapes["lm_head.weight"] = table
    for index in range(config.num_hidden_layers):
        for name, shape in linear_shapes(config).items():
            shapes[f"model.layers.{index}.{LINEAR_NAMES[name]}.weight"] = shape[::-1]
        for name, size in norm_sizes(config).items():
            shapes[f"model.layers.{index}.{NORM_NAMES[name]}.weight"] = (size,)
    return shapes
